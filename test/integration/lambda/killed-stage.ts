/** A stage of two functions, one idle and one in an endless loop. Prints their process ids and waits to be killed. */
import { startFunctions } from "./functions.ts";

const lambda = await startFunctions({
  idle: { source: "declare const process: any; export const handler = async () => process.pid;" },
  busy: {
    source: `declare const process: any;
      export const handler = async () => { process.stdout.write(process.pid + "\\n"); for (;;); };`,
  },
});
console.log((await lambda.invoke("idle", {})).payload);
lambda.invoke("busy", {});
const poll = setInterval(() => {
  const printed = lambda.lines.find(({ functionName, source }) => functionName === "busy" && source === "function");
  if (printed === undefined) return;
  clearInterval(poll);
  console.log(printed.line);
}, 10);
