import { type ParseArgsConfig, parseArgs } from "node:util";

/** What was typed is wrong: the operator is shown what would be right. */
export class UsageError extends Error {}

/** `parseArgs`, with `--help`, and with `UsageError` for what it does not know. */
export function parseCommand<T extends NonNullable<ParseArgsConfig["options"]>>(options: T) {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { ...options, dir: { type: "string" }, help: { type: "boolean", short: "h" } },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Runs a command: its errors are told in a line on stderr, and end it with status 1. */
export function run(usage: string, main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    if (error instanceof UsageError) console.error(`\n${usage}`);
    process.exitCode = 1;
  });
}
