/** A failure that has a name of the runtime's own, such as `Runtime.HandlerNotFound`. */
export function runtimeError(name: string, message: string, stack?: string): Error {
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** An error as the Runtime API takes it and Invoke answers it: `{"errorType", "errorMessage", "trace"}`. */
export function formatError(error: unknown): { errorType: string; errorMessage: string; trace: string[] } {
  if (error instanceof Error) {
    return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split("\n") ?? [] };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}
