import * as z from "zod";

/** What IAM asks about a call: one pair for most operations, one an item for transactions. */
export interface Permission {
  action: string;
  resource: string;
}

const tableName = z.object({ TableName: z.string(), IndexName: z.string().optional() });
const batch = z.object({ RequestItems: z.record(z.string(), z.unknown()) });
const transaction = z.object({ TransactItems: z.array(z.record(z.string(), z.object({ TableName: z.string() }))) });
const resourceArn = z.object({ ResourceArn: z.string() });

/** Operations on no table at all. */
const accountWide = new Set(["ListTables", "DescribeLimits", "DescribeEndpoints", "ListBackups", "ListGlobalTables"]);

/** IAM's action for each part of a transaction. Source: DynamoDB's "IAM and transactions" page, November 2026. */
const transactionActions: Record<string, string> = {
  Put: "PutItem",
  Update: "UpdateItem",
  Delete: "DeleteItem",
  ConditionCheck: "ConditionCheckItem",
  Get: "GetItem",
};

/**
 * The permissions that an operation needs, or null when its input does not name what it works on: such a request is left
 * to DynamoDB's own validation, for callers that may do everything.
 */
export function permissionsOf(
  operation: string,
  input: unknown,
  arnOf: (table: string) => string,
): Permission[] | null {
  const action = `dynamodb:${operation}`;
  if (accountWide.has(operation)) return [{ action, resource: "*" }];
  switch (operation) {
    case "BatchGetItem":
    case "BatchWriteItem": {
      const { data } = batch.safeParse(input);
      return data ? Object.keys(data.RequestItems).map((table) => ({ action, resource: arnOf(table) })) : null;
    }
    case "TransactGetItems":
    case "TransactWriteItems": {
      const { data } = transaction.safeParse(input);
      if (!data) return null;
      return data.TransactItems.flatMap((item) =>
        Object.entries(item).map(([part, { TableName }]) => ({
          action: `dynamodb:${transactionActions[part] ?? part}`,
          resource: arnOf(TableName),
        })),
      );
    }
    case "TagResource":
    case "UntagResource":
    case "ListTagsOfResource": {
      const { data } = resourceArn.safeParse(input);
      return data ? [{ action, resource: data.ResourceArn }] : null;
    }
    default: {
      const { data } = tableName.safeParse(input);
      if (!data) return null;
      const index = data.IndexName === undefined ? "" : `/index/${data.IndexName}`;
      return [{ action, resource: arnOf(data.TableName) + index }];
    }
  }
}
