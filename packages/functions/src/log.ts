import { AsyncLocalStorage } from "node:async_hooks";

/** What a line is about: a request or a message, and Lambda's own id of the invocation, by which its platform logs name it. */
interface Subject {
  aws_request_id: string;
  [name: string]: string | number | undefined;
}

const subject = new AsyncLocalStorage<Subject>();

/** Does work whose every line in the log, and every line of what it calls, says what it is about. */
export const withLogContext = <T>(what: Subject, work: () => T): T => subject.run(what, work);

/**
 * One line of JSON. Never a prompt, an answer, a key or an image: only what identifies and measures. `timestamp` and `level` are
 * what Lambda looks for in such a line.
 */
export function log(level: "info" | "warn" | "error", event: string, ...fields: object[]): void {
  const line = { timestamp: new Date().toISOString(), level, event, ...subject.getStore() };
  process.stdout.write(`${JSON.stringify(Object.assign(line, ...fields), withoutExcess)}\n`);
}

/** Nothing that is logged on purpose is longer; a field's name, which a caller chooses, may have megabytes. */
const maxTextLength = 500;
/** Terminals and log readers obey them. JSON writes the first 32 as escapes, and leaves the others as they are. */
const controlCharacters = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

const withoutExcess = (_: string, value: unknown): unknown =>
  typeof value === "string"
    ? (value.length > maxTextLength ? `${value.slice(0, maxTextLength)}…` : value).replace(controlCharacters, "\ufffd")
    : value;

/**
 * What an operator needs of an error that the caller does not see. The message of a client's or a server's error may quote
 * the request, so that only the kind of those goes to the log.
 */
export function causeOf(error: unknown): Record<string, unknown> | undefined {
  if (!(error instanceof Error)) return error === undefined ? undefined : { name: typeof error };
  const { status, code, request_id } = error as { status?: unknown; code?: unknown; request_id?: unknown };
  const frames = error.stack
    ?.split("\n")
    .filter((line) => line.startsWith("    at "))
    .slice(0, 5);
  return {
    name: error.name,
    ...(status !== undefined && { status }),
    ...(code !== undefined && { code }),
    ...(request_id !== undefined && { request_id }),
    stack: frames?.map((line) => line.trim()),
    cause: causeOf(error.cause),
  };
}
