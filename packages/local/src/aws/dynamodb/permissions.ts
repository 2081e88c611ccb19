import * as z from "zod";
import type { AccessRequest, RequestContext } from "../iam.ts";
import { leadingKeysOf } from "./leading-keys.ts";

/** What IAM asks about a call: once for most operations, once an item for transactions. */
export type Permission = Pick<AccessRequest, "action" | "resource" | "context">;

/** What is known of the tables that a call may name, by their names or ARNs. */
export interface Tables {
  arnOf(table: string): string;
  hashKeyOf(table: string, index: string | undefined): string | undefined;
}

const tableName = z.object({ TableName: z.string(), IndexName: z.string().optional() });
const batch = z.object({ RequestItems: z.record(z.string(), z.unknown()) });
const transaction = z.object({
  TransactItems: z.array(z.record(z.string(), z.looseObject({ TableName: z.string() }))),
});
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
export function permissionsOf(operation: string, input: unknown, { arnOf, hashKeyOf }: Tables): Permission[] | null {
  const contextOf = (parts: unknown, table: string, index?: string): RequestContext => {
    const hashKey = hashKeyOf(table, index);
    const keys = hashKey === undefined ? [] : [parts].flat().flatMap((part) => leadingKeysOf(part, hashKey));
    return keys.length > 0 ? { "dynamodb:LeadingKeys": keys } : {};
  };
  const action = `dynamodb:${operation}`;
  if (accountWide.has(operation)) return [{ action, resource: "*" }];
  switch (operation) {
    case "BatchGetItem":
    case "BatchWriteItem": {
      const { data } = batch.safeParse(input);
      if (!data) return null;
      return Object.entries(data.RequestItems).map(([table, parts]) => ({
        action,
        resource: arnOf(table),
        context: contextOf(parts, table),
      }));
    }
    case "TransactGetItems":
    case "TransactWriteItems": {
      const { data } = transaction.safeParse(input);
      if (!data) return null;
      return data.TransactItems.flatMap((item) =>
        Object.entries(item).map(([name, part]) => ({
          action: `dynamodb:${transactionActions[name] ?? name}`,
          resource: arnOf(part.TableName),
          context: contextOf(part, part.TableName),
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
      const { TableName, IndexName } = data;
      const index = IndexName === undefined ? "" : `/index/${IndexName}`;
      return [{ action, resource: arnOf(TableName) + index, context: contextOf(input, TableName, IndexName) }];
    }
  }
}
