import * as z from "zod";
import type { QueueSpec } from "../../manifest.ts";
import { invalidParameter, queueDoesNotExist, sqsError } from "./error.ts";
import type { Operation, SqsDeps } from "./operations.ts";
import { deadLetterOf, type Queue, queueNameOf } from "./store.ts";

const attributeValues = z.record(z.string(), z.string());
const queueUrl = z.object({ QueueUrl: z.string() });

/** One MiB since August 2025, for a message and for a batch. Source: SQS quotas, November 2026. */
export const maxBatchBytes = 1_048_576;

/** SQS's limits and defaults, in seconds and bytes. Source: CreateQueue's reference, November 2026. */
const defaults = {
  visibilityTimeoutSeconds: 30,
  retentionSeconds: 345_600,
  delaySeconds: 0,
  receiveWaitSeconds: 0,
  maxMessageBytes: maxBatchBytes,
};
const settings = {
  VisibilityTimeout: { key: "visibilityTimeoutSeconds", min: 0, max: 43_200 },
  MessageRetentionPeriod: { key: "retentionSeconds", min: 60, max: 1_209_600 },
  DelaySeconds: { key: "delaySeconds", min: 0, max: 900 },
  ReceiveMessageWaitTimeSeconds: { key: "receiveWaitSeconds", min: 0, max: 20 },
  MaximumMessageSize: { key: "maxMessageBytes", min: 1_024, max: maxBatchBytes },
} as const;

/** Makes the queues what the manifest says; messages stay, and queues that the manifest no longer has are left alone. */
export function provisionQueues({ store, arnOf, now }: SqsDeps, queues: Record<string, QueueSpec>): void {
  for (const spec of Object.values(queues)) {
    const deadLetter = spec.deadLetter && queues[spec.deadLetter.queue];
    if (spec.deadLetter && !deadLetter) {
      throw new Error(`Queue ${spec.name} names a dead-letter queue that does not exist: ${spec.deadLetter.queue}`);
    }
    const nowMs = now();
    store.saveQueue({
      ...defaults,
      ...(store.queue(spec.name) ?? { createdMs: nowMs }),
      name: spec.name,
      visibilityTimeoutSeconds: spec.visibilityTimeoutSeconds,
      retentionSeconds: spec.retentionSeconds,
      maxMessageBytes: spec.maxMessageBytes,
      redrivePolicy: deadLetter
        ? redrivePolicyText(arnOf(deadLetter.name), spec.deadLetter?.maxReceiveCount ?? 0)
        : null,
      modifiedMs: nowMs,
    });
  }
}

export const queueOperations: Record<string, Operation> = {
  CreateQueue(deps, input) {
    const { QueueName: name, Attributes = {} } = parse(
      z.object({ QueueName: z.string(), Attributes: attributeValues.optional() }),
      input,
    );
    if (!/^[A-Za-z0-9_-]{1,80}$/.test(name)) {
      throw invalidParameter(
        "A queue name has 1 to 80 letters, digits, hyphens or underscores. FIFO queues do not run here.",
      );
    }
    const existing = deps.store.queue(name);
    const nowMs = deps.now();
    const base: Queue = existing ?? { ...defaults, name, redrivePolicy: null, createdMs: nowMs, modifiedMs: nowMs };
    const wanted = withAttributes(base, Attributes);
    if (existing && JSON.stringify(wanted) !== JSON.stringify(existing)) {
      throw sqsError("QueueNameExists", "A queue of this name exists with other attributes.", "QueueAlreadyExists");
    }
    if (!existing) deps.store.saveQueue(wanted);
    return { QueueUrl: deps.urlOf(name) };
  },

  DeleteQueue(deps, input) {
    deps.store.deleteQueue(findQueue(deps, input).name);
    return {};
  },

  PurgeQueue(deps, input) {
    deps.store.purge(findQueue(deps, input).name);
    return {};
  },

  GetQueueUrl(deps, input) {
    const { QueueName } = parse(z.object({ QueueName: z.string() }), input);
    if (!deps.store.queue(QueueName)) throw queueDoesNotExist();
    return { QueueUrl: deps.urlOf(QueueName) };
  },

  ListQueues(deps, input) {
    const { QueueNamePrefix = "" } = parse(z.object({ QueueNamePrefix: z.string().optional() }), input);
    const names = deps.store.queues().map((queue) => queue.name);
    return { QueueUrls: names.filter((name) => name.startsWith(QueueNamePrefix)).map(deps.urlOf) };
  },

  ListDeadLetterSourceQueues(deps, input) {
    const { name } = findQueue(deps, input);
    const sources = deps.store.queues().filter((queue) => deadLetterOf(queue)?.queue === name);
    return { queueUrls: sources.map((queue) => deps.urlOf(queue.name)) };
  },

  GetQueueAttributes(deps, input) {
    const queue = findQueue(deps, input);
    const { AttributeNames = [] } = parse(z.object({ AttributeNames: z.array(z.string()).optional() }), input);
    const { visible, inFlight, delayed } = deps.store.counts(queue);
    const all: Record<string, string | number> = {
      QueueArn: deps.arnOf(queue.name),
      ApproximateNumberOfMessages: visible,
      ApproximateNumberOfMessagesNotVisible: inFlight,
      ApproximateNumberOfMessagesDelayed: delayed,
      CreatedTimestamp: Math.floor(queue.createdMs / 1000),
      LastModifiedTimestamp: Math.floor(queue.modifiedMs / 1000),
      SqsManagedSseEnabled: "true",
      ...Object.fromEntries(Object.entries(settings).map(([name, { key }]) => [name, queue[key]])),
      ...(queue.redrivePolicy === null ? {} : { RedrivePolicy: queue.redrivePolicy }),
    };
    const wanted = Object.entries(all).filter(
      ([name]) => AttributeNames.includes("All") || AttributeNames.includes(name),
    );
    return { Attributes: Object.fromEntries(wanted.map(([name, value]) => [name, String(value)])) };
  },

  SetQueueAttributes(deps, input) {
    const queue = findQueue(deps, input);
    const { Attributes } = parse(z.object({ Attributes: attributeValues }), input);
    deps.store.saveQueue({ ...withAttributes(queue, Attributes), modifiedMs: deps.now() });
    return {};
  },

  ListQueueTags(deps, input) {
    findQueue(deps, input);
    return { Tags: {} };
  },

  /** Moves at once what SQS moves over time, so that the task is already over when it is answered. */
  StartMessageMoveTask(deps, input) {
    const { SourceArn, DestinationArn } = parse(
      z.object({ SourceArn: z.string(), DestinationArn: z.string().optional() }),
      input,
    );
    const source = deps.store.queue(queueNameOf(SourceArn));
    const destination = DestinationArn === undefined ? null : queueNameOf(DestinationArn);
    if (!source || (destination !== null && !deps.store.queue(destination))) {
      throw sqsError("ResourceNotFoundException", "The resource that you specified for the task does not exist.");
    }
    const moved = deps.store.redrive(source, destination);
    for (const queue of deps.store.queues()) deps.arrivals.emit(queue.name);
    const task = { SourceArn, DestinationArn, ApproximateNumberOfMessagesMoved: moved, StartedTimestamp: deps.now() };
    deps.moveTasks.unshift({ ...task, Status: "COMPLETED", ApproximateNumberOfMessagesToMove: moved });
    return { TaskHandle: Buffer.from(SourceArn).toString("base64") };
  },

  /** The latest first. Those of an earlier run of the stage are forgotten. */
  ListMessageMoveTasks(deps, input) {
    const { SourceArn, MaxResults } = parse(
      z.object({ SourceArn: z.string(), MaxResults: z.int().min(1).max(10).default(1) }),
      input,
    );
    return { Results: deps.moveTasks.filter((task) => task.SourceArn === SourceArn).slice(0, MaxResults) };
  },

  /** No task is ever under way here. */
  CancelMessageMoveTask() {
    throw sqsError("ResourceNotFoundException", "The task does not exist, or it is over.");
  },
};

/** The queue that the input's `QueueUrl` names. Throws JsonProtocolError. */
export function findQueue({ store }: SqsDeps, input: unknown): Queue {
  const queue = store.queue(queueNameOf(parse(queueUrl, input).QueueUrl));
  if (!queue) throw queueDoesNotExist();
  return queue;
}

/** An input that does not have its shape is the caller's fault. */
export function parse<T extends z.ZodType>(shape: T, input: unknown): z.infer<T> {
  const result = shape.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw sqsError("MissingParameter", `Invalid request: ${issue?.path.join(".")}: ${issue?.message}`);
}

function withAttributes(queue: Queue, attributes: Record<string, string>): Queue {
  const changed = { ...queue };
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "RedrivePolicy") changed.redrivePolicy = redrivePolicyOf(value);
    else if (Object.hasOwn(settings, name)) {
      const { key, min, max } = settings[name as keyof typeof settings];
      const number = Number(value);
      if (!Number.isInteger(number) || number < min || number > max) {
        throw sqsError("InvalidAttributeValue", `Invalid value for the parameter ${name}.`);
      }
      changed[key] = number;
    } else throw sqsError("InvalidAttributeName", `Unknown Attribute ${name}.`);
  }
  return changed;
}

const redrivePolicy = z.object({
  deadLetterTargetArn: z.string(),
  maxReceiveCount: z.coerce.number().int().min(1).max(1000),
});

function redrivePolicyOf(text: string): string | null {
  if (text === "") return null;
  const policy = redrivePolicy.safeParse(jsonOrNull(text));
  if (!policy.success) throw sqsError("InvalidAttributeValue", "Invalid value for the parameter RedrivePolicy.");
  return redrivePolicyText(policy.data.deadLetterTargetArn, policy.data.maxReceiveCount);
}

function redrivePolicyText(deadLetterTargetArn: string, maxReceiveCount: number): string {
  return JSON.stringify({ deadLetterTargetArn, maxReceiveCount });
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
