import type { SettleLaterQueue } from "@tollgate/core/result/settle-later";
import { causeOf, log } from "../log.ts";
import { queueNamed } from "./sqs.ts";

const queue = queueNamed("SettleLaterQueue");

/** Told in the log, whichever way it goes: the table did not take a settlement. */
export const later: SettleLaterQueue = {
  async send(message) {
    try {
      await queue.send(message);
      log("warn", "settlement_handed_over", {});
    } catch (error) {
      log("error", "settlement_not_kept", { cause: causeOf(error) });
      throw error;
    }
  },
};
