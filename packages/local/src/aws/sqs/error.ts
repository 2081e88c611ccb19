import { JsonProtocolError } from "../json-protocol.ts";

/**
 * An error of SQS itself. `queryCode` is what clients of the old query protocol called it; SDKs read it from a header and
 * give it precedence over the type.
 */
export function sqsError(type: string, message: string, queryCode: string = type): JsonProtocolError {
  const headers = { "x-amzn-query-error": `${queryCode};Sender` };
  return new JsonProtocolError(400, `com.amazonaws.sqs#${type}`, message, headers);
}

export function queueDoesNotExist(): JsonProtocolError {
  const message = "The specified queue does not exist.";
  return sqsError("QueueDoesNotExist", message, "AWS.SimpleQueueService.NonExistentQueue");
}

export function invalidParameter(message: string): JsonProtocolError {
  return sqsError("InvalidParameterValue", message);
}
