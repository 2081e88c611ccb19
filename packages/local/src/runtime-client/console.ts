import { format } from "node:util";
import type { InvokeStoreBase } from "@aws/lambda-invoke-store";
import { formatError } from "./error.ts";

const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] as const;
type Level = (typeof LEVELS)[number];

/**
 * Has `console` write as it does in Lambda: one line a call, with time, request and level, in JSON or as text, and nothing
 * below the function's log level. What goes straight to `process.stdout` stays as it is.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html, read in November 2026.
 *
 * @param env `AWS_LAMBDA_LOG_FORMAT` (`JSON`, else text) and `AWS_LAMBDA_LOG_LEVEL` (everything when it is not set)
 * @returns logs what the runtime itself has to say of an error
 */
export function patchConsole(store: InvokeStoreBase, env: NodeJS.ProcessEnv): (title: string, error: unknown) => void {
  const json = env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === "JSON";
  const least = (LEVELS as readonly unknown[]).indexOf(env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase());
  const line = json ? jsonLine : textLine;
  const logAt =
    (level: Level) =>
    (message: unknown, ...params: unknown[]) => {
      if (LEVELS.indexOf(level) < least) return;
      process.stdout.write(`${line(store.getRequestId(), level, message, params).replaceAll("\n", "\r")}\n`);
    };
  const methods = Object.fromEntries(LEVELS.map((level) => [level.toLowerCase(), logAt(level)]));
  Object.assign(console, methods, { log: methods.info });
  return (title, error) => {
    const thrown = error instanceof Error ? error : new Error(String(error));
    if (json) console.error(thrown);
    else console.error(title, `\t${errorText(thrown)}`);
  };
}

const textLine = (requestId: string, level: Level, message: unknown, params: unknown[]) =>
  [new Date().toISOString(), requestId, level, format(message, ...params)].join("\t");

/** One value is the message itself, an object as JSON; several are formatted into a text, and the first error among them told. */
function jsonLine(requestId: string, level: Level, message: unknown, params: unknown[]): string {
  const line = { timestamp: new Date().toISOString(), level, requestId };
  if (params.length > 0) {
    const error = params.find((param) => param instanceof Error);
    return JSON.stringify({ ...line, message: format(message, ...params), ...(error && described(error)) });
  }
  return (
    stringify({ ...line, message }, (error) => ({ ...described(error), ...error })) ??
    JSON.stringify({ ...line, message: format(message) })
  );
}

const described = (error: Error) => ({
  errorType: error.constructor.name,
  errorMessage: error.message,
  stackTrace: error.stack?.split("\n"),
});

function errorText(thrown: Error): string {
  const text = stringify(thrown, (error) => ({
    errorType: error.name,
    errorMessage: error.message,
    ...error,
    stack: error.stack?.split("\n"),
  }));
  return text ?? JSON.stringify(formatError(thrown));
}

/** Null for what JSON cannot hold: a circle, or a bigint. */
function stringify(value: unknown, fromError: (error: Error) => object): string | null {
  try {
    return JSON.stringify(value, (_key, part) => (part instanceof Error ? fromError(part) : part));
  } catch {
    return null;
  }
}
