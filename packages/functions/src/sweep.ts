import { sweep } from "@tollgate/core/result/sweep";
import type { Context } from "aws-lambda";
import { log, withLogContext } from "./log.ts";
import { config, now } from "./runtime/config.ts";
import { resultTable } from "./runtime/table.ts";

const { SWEEP_HTTP_GRACE_MS, SWEEP_QUEUE_GRACE_MS } = config("SWEEP_HTTP_GRACE_MS", "SWEEP_QUEUE_GRACE_MS");
const graceMs = { http: SWEEP_HTTP_GRACE_MS, queue: SWEEP_QUEUE_GRACE_MS };

/** Called on a schedule. */
export const handler = (_: unknown, { awsRequestId }: Context): Promise<void> =>
  withLogContext({ aws_request_id: awsRequestId }, async () => {
    const resultIds = await sweep({ store: resultTable, now, graceMs });
    if (resultIds.length > 0) log("warn", "swept", { result_ids: resultIds });
  });
