// A stage in a process of its own, so that it can be killed. Arguments: the folder of its state and the seed of its faults, or
// none for a stage where nothing goes wrong. Says over IPC that it is ready, and every fault as it strikes.
import { join, resolve } from "node:path";
import { startStage } from "@tollgate/local/stage";
import { hurried } from "./limits.ts";
import { createPlan } from "./plan.ts";

const root = resolve(import.meta.dirname, "../../..");
const [dir = "", seed] = process.argv.slice(2);
let armed = seed !== undefined;

const plan = createPlan(Number(seed), (fault) => process.send?.({ fault }));
const { info, stop } = await startStage({
  root,
  dir: resolve(dir),
  port: 0,
  manifest: hurried(root),
  ...(armed && { faults: (call) => (armed ? plan(call) : null) }),
  log: (source, line) => process.stderr.write(`${source}  ${line}\n`),
});
process.on("message", (message) => {
  if (message === "disarm") armed = false;
  if (message === "stop") stop().then(() => process.exit(0));
});
process.on("disconnect", () => stop().then(() => process.exit(0)));
process.send?.({ ready: join(dir, "stage.json"), info });
