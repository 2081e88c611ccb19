// npm run bench: our functions and what people write instead, side by side, each measurement in a fresh process.
import { bench } from "./bench.ts";
import { parseOptions, usage } from "./options.ts";
import { report } from "./report.ts";

const stopped = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopped.abort());

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === null) return console.log(usage);
  const rows = await bench(options, stopped.signal);
  console.log(report(rows, options.runtime === null ? "import" : "init"));
}

main().catch((error: unknown) => {
  process.exitCode = stopped.signal.aborted ? 130 : 1;
  if (!stopped.signal.aborted) console.error(error instanceof Error ? error.message : error);
});
