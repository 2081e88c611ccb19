import type { ServiceCall } from "./aws/fault.ts";

/** Is told what a bill is made of, while the stage goes on as always. */
export interface Meter {
  /**
   * A service has carried out a call. DynamoDB's and SQS's answers wait for this, and DynamoDB's refusals too; of S3 neither
   * input nor answer is told.
   */
  answered(call: ServiceCall, input: unknown, answer: unknown): Promise<void> | void;
  /** An invocation has ended: Lambda's REPORT line of it. */
  reported(functionName: string, line: string): void;
}
