import { sweep } from "@tollgate/core/result/sweep";
import { log } from "./log.ts";
import { config, now, tableName } from "./runtime/config.ts";
import { dynamodb } from "./runtime/dynamodb.ts";

const { SWEEP_HTTP_GRACE_MS, SWEEP_QUEUE_GRACE_MS } = config("SWEEP_HTTP_GRACE_MS", "SWEEP_QUEUE_GRACE_MS");
const store = { dynamodb, tableName: tableName() };
const graceMs = { http: SWEEP_HTTP_GRACE_MS, queue: SWEEP_QUEUE_GRACE_MS };

/** Called on a schedule. */
export async function handler(): Promise<void> {
  const resultIds = await sweep({ store, now, graceMs });
  if (resultIds.length > 0) log("warn", "swept", { result_ids: resultIds });
}
