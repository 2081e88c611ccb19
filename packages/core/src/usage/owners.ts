import { type DynamoDBDocumentClient, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { ownerIndex } from "../dynamodb/keys.ts";
import { ownerOf, usageIndexPartition } from "./ledger.ts";

/** The owners that used anything on these UTC days (both inclusive), by name. Those without a key, who only use S3, too. */
export async function ownersWithUsage(
  dynamodb: DynamoDBDocumentClient,
  tableName: string,
  days: { from: string; to: string },
): Promise<string[]> {
  const owners = new Set<string>();
  let start: Record<string, unknown> | undefined;
  do {
    const page = await dynamodb.send(
      new QueryCommand({
        TableName: tableName,
        IndexName: ownerIndex,
        KeyConditionExpression: "owner_pk = :usage AND owner_sk BETWEEN :from AND :to",
        ExpressionAttributeValues: { ":usage": usageIndexPartition, ":from": days.from, ":to": `${days.to}~` },
        ExclusiveStartKey: start,
      }),
    );
    for (const { pk } of page.Items ?? []) owners.add(ownerOf(String(pk)));
    start = page.LastEvaluatedKey;
  } while (start);
  return [...owners].sort();
}
