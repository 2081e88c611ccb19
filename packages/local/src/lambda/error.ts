/** The Lambda service refused an invocation before any function ran. `name` is the API's exception. */
export class LambdaServiceException extends Error {
  readonly statusCode: number;

  constructor(name: string, statusCode: number, message: string) {
    super(message);
    this.name = name;
    this.statusCode = statusCode;
  }
}

/** A function ran and failed, or its execution environment did. `payload` is the JSON that Invoke answers with. */
export class FunctionError extends Error {
  readonly functionError = "Unhandled";
  readonly errorType: string;
  readonly payload: string;

  /** @param payload `{"errorType", "errorMessage", "trace"?}`, as the runtime wrote it */
  constructor(errorType: string, payload: string) {
    super(`${errorType}: ${payload}`);
    this.name = "FunctionError";
    this.errorType = errorType;
    this.payload = payload;
  }
}

/** A failure that Lambda itself found, not the runtime: time-outs, crashes, answers over the limit. */
export function platformError(errorType: string, errorMessage: string): FunctionError {
  return new FunctionError(errorType, JSON.stringify({ errorType, errorMessage }));
}
