import * as z from "zod";
import type { JsonProtocolError } from "../json-protocol.ts";
import {
  type MessageAttributes,
  md5Hex,
  md5OfAttributes,
  messageAttributes,
  pickAttributes,
  sizeOfAttributes,
} from "./attributes.ts";
import { invalidParameter, sqsError } from "./error.ts";
import type { Operation, SqsDeps } from "./operations.ts";
import { findQueue, maxBatchBytes, parse } from "./queues.ts";
import { type Queue, receiptHandlePattern, type StoredMessage } from "./store.ts";

const outgoing = z.object({
  MessageBody: z.string(),
  DelaySeconds: z.int().min(0).max(900).optional(),
  MessageAttributes: messageAttributes.optional(),
});
const receipt = z.object({ ReceiptHandle: z.string() });
const visibility = receipt.extend({ VisibilityTimeout: z.int().min(0).max(43_200) });
const names = z.array(z.string()).default([]);
const receiving = z.object({
  MaxNumberOfMessages: z.int().min(1).max(10).default(1),
  VisibilityTimeout: z.int().min(0).max(43_200).optional(),
  WaitTimeSeconds: z.int().min(0).max(20).optional(),
  AttributeNames: names,
  MessageSystemAttributeNames: names,
  MessageAttributeNames: names,
});

export const messageOperations: Record<string, Operation> = {
  SendMessage(deps, input) {
    return send(deps, findQueue(deps, input), parse(outgoing, input));
  },

  SendMessageBatch(deps, input) {
    const queue = findQueue(deps, input);
    const entries = entriesOf(input, outgoing);
    const totalBytes = entries.reduce((sum, entry) => sum + sizeOf(entry.MessageBody, entry.MessageAttributes), 0);
    if (totalBytes > maxBatchBytes) {
      const message = `Batch requests cannot be longer than ${maxBatchBytes} bytes.`;
      throw sqsError("BatchRequestTooLong", message, "AWS.SimpleQueueService.BatchRequestTooLong");
    }
    return eachEntry(entries, (entry) => send(deps, queue, entry));
  },

  async ReceiveMessage(deps, input, signal) {
    const queue = findQueue(deps, input);
    const options = parse(receiving, input);
    const visibilityTimeoutSeconds = options.VisibilityTimeout ?? queue.visibilityTimeoutSeconds;
    const deadlineMs = deps.now() + (options.WaitTimeSeconds ?? queue.receiveWaitSeconds) * 1000;
    let messages: StoredMessage[] = [];
    while (!signal.aborted) {
      messages = deps.store.receive(queue, options.MaxNumberOfMessages, visibilityTimeoutSeconds, deps.reordered);
      const nowMs = deps.now();
      if (messages.length > 0 || nowMs >= deadlineMs) break;
      const wakeMs = Math.min(deadlineMs, deps.store.nextVisibleMs(queue) ?? deadlineMs);
      await deps.arrivals.wait(queue.name, Math.max(1, wakeMs - nowMs), signal);
    }
    if (messages.length === 0) return {};
    return { Messages: messages.map((message) => receivedMessage(deps, message, options)) };
  },

  DeleteMessage(deps, input) {
    deps.store.delete(findQueue(deps, input), receiptHandleOf(parse(receipt, input)));
    return {};
  },

  DeleteMessageBatch(deps, input) {
    const queue = findQueue(deps, input);
    return eachEntry(entriesOf(input, receipt), (entry) => {
      deps.store.delete(queue, receiptHandleOf(entry));
      return {};
    });
  },

  ChangeMessageVisibility(deps, input) {
    return changeVisibility(deps, findQueue(deps, input), parse(visibility, input));
  },

  ChangeMessageVisibilityBatch(deps, input) {
    const queue = findQueue(deps, input);
    return eachEntry(entriesOf(input, visibility), (entry) => changeVisibility(deps, queue, entry));
  },
};

function send(deps: SqsDeps, queue: Queue, message: z.infer<typeof outgoing>) {
  const attributes = message.MessageAttributes ?? {};
  checkMessage(queue, message.MessageBody, attributes);
  const messageId = deps.store.send(queue, message.MessageBody, attributes, message.DelaySeconds);
  deps.arrivals.emit(queue.name);
  return {
    MessageId: messageId,
    MD5OfMessageBody: md5Hex(message.MessageBody),
    MD5OfMessageAttributes: md5OfAttributes(attributes),
  };
}

function changeVisibility(deps: SqsDeps, queue: Queue, change: z.infer<typeof visibility>): object {
  if (!deps.store.changeVisibility(queue, receiptHandleOf(change), change.VisibilityTimeout)) {
    throw sqsError(
      "MessageNotInflight",
      "The message is not in flight under this receipt handle.",
      "AWS.SimpleQueueService.MessageNotInflight",
    );
  }
  deps.arrivals.emit(queue.name);
  return {};
}

function receivedMessage(deps: SqsDeps, message: StoredMessage, options: z.infer<typeof receiving>) {
  const attributes = pickAttributes(message.attributes, options.MessageAttributeNames);
  const systemNames = [...options.AttributeNames, ...options.MessageSystemAttributeNames];
  const system = Object.entries(systemAttributes(deps, message)).filter(
    ([name]) => systemNames.includes("All") || systemNames.includes(name),
  );
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    Body: message.body,
    MD5OfBody: md5Hex(message.body),
    Attributes: system.length > 0 ? Object.fromEntries(system) : undefined,
    MessageAttributes: attributes,
    MD5OfMessageAttributes: attributes && md5OfAttributes(attributes),
  };
}

function systemAttributes(deps: SqsDeps, message: StoredMessage): Record<string, string> {
  return {
    SenderId: "AIDALOCAL",
    SentTimestamp: String(message.sentMs),
    ApproximateReceiveCount: String(message.receiveCount),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedMs),
    ...(message.deadLetterSource === null ? {} : { DeadLetterQueueSourceArn: deps.arnOf(message.deadLetterSource) }),
  };
}

function checkMessage({ maxMessageBytes }: Queue, body: string, attributes: MessageAttributes): void {
  if (body === "") throw sqsError("MissingParameter", "The request must contain the parameter MessageBody.");
  // What XML 1.0 cannot hold: SQS refuses it in every protocol.
  if (/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.test(body)) {
    throw sqsError("InvalidMessageContents", "Invalid characters found in the message body.");
  }
  if (sizeOf(body, attributes) > maxMessageBytes) {
    throw invalidParameter(
      `One or more parameters are invalid. Reason: Message must be shorter than ${maxMessageBytes} bytes.`,
    );
  }
}

function sizeOf(body: string, attributes: MessageAttributes = {}): number {
  return Buffer.byteLength(body) + sizeOfAttributes(attributes);
}

function receiptHandleOf({ ReceiptHandle }: { ReceiptHandle: string }): string {
  if (receiptHandlePattern.test(ReceiptHandle)) return ReceiptHandle;
  throw sqsError("ReceiptHandleIsInvalid", "The input receipt handle is invalid.");
}

/** The entries of a batch, 1 to 10 with distinct ids. Throws JsonProtocolError. */
function entriesOf<T extends z.ZodObject>(input: unknown, entry: T): (z.infer<T> & { Id: string })[] {
  const { Entries: entries } = parse(z.object({ Entries: z.array(z.looseObject({ Id: z.string() })) }), input);
  const fault = (type: string, message: string) => sqsError(type, message, `AWS.SimpleQueueService.${type}`);
  if (entries.length === 0) throw fault("EmptyBatchRequest", "There should be at least one entry in the request.");
  if (entries.length > 10) {
    throw fault("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10.");
  }
  if (entries.some(({ Id }) => !/^[A-Za-z0-9_-]{1,80}$/.test(Id))) {
    throw fault("InvalidBatchEntryId", "A batch entry id has 1 to 80 letters, digits, hyphens or underscores.");
  }
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length) {
    throw fault("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.");
  }
  return entries.map((fields) => ({ ...parse(entry, fields), Id: fields.Id }));
}

/** Each entry has its own outcome: one that fails does not stop the others. */
function eachEntry<E extends { Id: string }>(entries: E[], work: (entry: E) => object) {
  const outcome = { Successful: [] as object[], Failed: [] as object[] };
  for (const entry of entries) {
    try {
      outcome.Successful.push({ Id: entry.Id, ...work(entry) });
    } catch (error) {
      const { type, message } = error as JsonProtocolError;
      if (type === undefined) throw error;
      outcome.Failed.push({ Id: entry.Id, SenderFault: true, Code: type.split("#").at(-1), Message: message });
    }
  }
  return outcome;
}
