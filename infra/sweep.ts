import { createFunction } from "./function.ts";
import { items } from "./items.ts";
import { sweep as limits } from "./limits.ts";
import { sweptResultTtl } from "./retention.ts";
import { ledger } from "./storage.ts";

export const sweep = createFunction("Sweep", {
  file: "sweep",
  limits,
  link: [ledger],
  environment: {
    SWEEP_HTTP_GRACE_MS: String(limits.httpGraceMs),
    SWEEP_QUEUE_GRACE_MS: String(limits.queueGraceMs),
    ...sweptResultTtl,
  },
  permissions: [items.get("result"), items.update("result", "usage", "budget"), items.queryByLease("lease")],
});

/** Ends the results of attempts that died. */
new sst.aws.CronV2("SweepSchedule", {
  schedule: `rate(${limits.everyMinutes} minutes)`,
  function: sweep.arn,
});
