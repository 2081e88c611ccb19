import { settleLate } from "@tollgate/core/result/settle-later";
import { log } from "./log.ts";
import { config } from "./runtime/config.ts";
import { store } from "./runtime/results.ts";
import { queueNamed } from "./runtime/sqs.ts";
import { sqsHandler } from "./sqs-handler.ts";

const { MAX_RECEIVE_COUNT } = config("MAX_RECEIVE_COUNT");
const queue = { ...queueNamed("SettleLaterQueue"), maxReceiveCount: MAX_RECEIVE_COUNT };

export const handler = sqsHandler(queue, async ({ body }) => {
  const { owner, resultId, settled } = await settleLate(store, body);
  log(settled ? "info" : "warn", "settled_late", { owner, result_id: resultId, settled });
  return [];
});
