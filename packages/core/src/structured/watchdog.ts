import { type Context, createContext, Script } from "node:vm";
import { isJsonObject } from "../json/object.ts";

/**
 * How long one check may take. The schema comes from the caller and its value from a model: a pattern that backtracks,
 * a union that branches without end. node:vm's watchdog interrupts any of it, regular expressions included.
 */
export const checkTimeoutMs = 500;

/** Made at the first use: most answers are judged without it, and a context costs a cold start most of a millisecond. */
let watchdog: { context: Context; run: Script } | undefined;

/** Runs a check to its end, or throws when that takes too long. */
export function withinTimeLimit(check: () => void): void {
  watchdog ??= { context: createContext({ check: undefined }), run: new Script("check()") };
  const { context, run } = watchdog;
  try {
    context.check = check;
    run.runInContext(context, { timeout: checkTimeoutMs });
  } finally {
    context.check = undefined;
  }
}

/** Why a check did not come to its end, without a full stop. */
export function reasonOf(error: unknown): string {
  if (isJsonObject(error) && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT") {
    return `its schema takes more than ${checkTimeoutMs} ms`;
  }
  if (error instanceof RangeError) return "it or its schema is too deep or too large";
  return error instanceof Error ? error.message.slice(0, 200) : "unknown";
}
