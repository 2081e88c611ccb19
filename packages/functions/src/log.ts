/** One line of JSON. Never a prompt, an answer, a key or an image: only what identifies and measures. */
export function log(level: "info" | "warn" | "error", event: string, fields: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify({ level, event, ...fields })}\n`);
}

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
    name: error.constructor.name,
    ...(status !== undefined && { status }),
    ...(code !== undefined && { code }),
    ...(request_id !== undefined && { request_id }),
    stack: frames?.map((line) => line.trim()),
    cause: causeOf(error.cause),
  };
}
