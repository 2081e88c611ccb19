import { type Manifest, readManifest } from "@tollgate/local/manifest";

/** How soon the sweep gives an attempt up, after its lease. */
export const graceMs = { http: 3_000, queue: 90_000 };
const visibilitySeconds = 40;
const sweepEverySeconds = 2;
/** 5 s for OpenAI, 15 s that are kept back for settling, and some to spare. */
const functionTimeoutSeconds = 24;

/** The stage of `infra/`, with every wait shortened so far that a run takes about a minute. */
export function hurried(root: string): Manifest {
  const manifest = readManifest(root);
  for (const [name, fn] of Object.entries(manifest.functions)) {
    fn.timeoutSeconds = Math.min(fn.timeoutSeconds, functionTimeoutSeconds);
    if ("OPENAI_BUDGET_MS" in fn.environment) {
      fn.environment = { ...fn.environment, OPENAI_ATTEMPT_TIMEOUT_MS: "2000", OPENAI_BUDGET_MS: "5000" };
    }
    if (name === "Sweep") {
      const [SWEEP_HTTP_GRACE_MS, SWEEP_QUEUE_GRACE_MS] = [String(graceMs.http), String(graceMs.queue)];
      fn.environment = { ...fn.environment, SWEEP_HTTP_GRACE_MS, SWEEP_QUEUE_GRACE_MS };
    }
  }
  for (const { queue } of manifest.eventSourceMappings) {
    const spec = manifest.queues[queue];
    if (spec) spec.visibilityTimeoutSeconds = visibilitySeconds;
  }
  for (const schedule of Object.values(manifest.schedules)) schedule.everySeconds = sweepEverySeconds;
  return manifest;
}
