/**
 * Reads which messages a function with `ReportBatchItemFailures` reports as failed. Nothing, null and an empty list say
 * that all succeeded; an entry that names no message of the batch fails the batch as a whole, so that none is lost.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html, read in November 2026.
 *
 * @param payload the function's answer in JSON: `{"batchItemFailures": [{"itemIdentifier": messageId}]}`
 * @throws Error when the whole batch failed
 */
export function failedItems(payload: string, messageIds: string[]): Set<string> {
  const answer: unknown = JSON.parse(payload);
  const reported = property(answer, "batchItemFailures") ?? [];
  if (!Array.isArray(reported)) throw new Error("the batch failed: batchItemFailures is not a list");
  const failed = reported.map((item) => {
    const id = property(item, "itemIdentifier");
    if (typeof id === "string" && messageIds.includes(id)) return id;
    throw new Error(`the batch failed: itemIdentifier ${JSON.stringify(id)} is no message of the batch`);
  });
  return new Set(failed);
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
