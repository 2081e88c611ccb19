import { createFunction } from "./function.ts";
import { sweep as limits } from "./limits.ts";
import { sweptResultTtl } from "./retention.ts";
import { ledger, resources } from "./storage.ts";

export const sweep = createFunction("Sweep", {
  file: "sweep",
  limits,
  link: [ledger],
  environment: {
    SWEEP_HTTP_GRACE_MS: String(limits.httpGraceMs),
    SWEEP_QUEUE_GRACE_MS: String(limits.queueGraceMs),
    ...sweptResultTtl,
  },
  permissions: [
    { actions: ["dynamodb:GetItem", "dynamodb:UpdateItem"], resources: [resources.ledger] },
    { actions: ["dynamodb:Query"], resources: [resources.ledgerByLease] },
  ],
});

/** Ends the results of attempts that died. */
new sst.aws.CronV2("SweepSchedule", {
  schedule: `rate(${limits.everyMinutes} minutes)`,
  function: sweep.arn,
});
