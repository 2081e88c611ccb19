import { sweep } from "@tollgate/core/result/sweep";
import { log } from "./log.ts";
import { config, now } from "./runtime/config.ts";
import { resultTable } from "./runtime/table.ts";

const { SWEEP_HTTP_GRACE_MS, SWEEP_QUEUE_GRACE_MS } = config("SWEEP_HTTP_GRACE_MS", "SWEEP_QUEUE_GRACE_MS");
const graceMs = { http: SWEEP_HTTP_GRACE_MS, queue: SWEEP_QUEUE_GRACE_MS };

/** Called on a schedule. */
export async function handler(): Promise<void> {
  const resultIds = await sweep({ store: resultTable, now, graceMs });
  if (resultIds.length > 0) log("warn", "swept", { result_ids: resultIds });
}
