import type { Fault, ServiceCall } from "@tollgate/local/aws/fault";
import { createRandom, type Random } from "./random.ts";

/** One call in so many goes wrong. */
const onceInCalls = 14;

const reads: readonly [Fault, ...Fault[]] = [
  { kind: "throttled" },
  { kind: "unavailable" },
  { kind: "hang" },
  { kind: "reset" },
  { kind: "answer_lost" },
  { kind: "slow", ms: 700 },
  { kind: "killed_before" },
  { kind: "killed_after" },
  { kind: "timed_out" },
];
const faultsOf: Record<ServiceCall["service"], readonly [Fault, ...Fault[]]> = {
  // Twice as often what only DynamoDB has, and what only exactness survives.
  dynamodb: [...reads, { kind: "conflict" }, { kind: "conflict" }, { kind: "answer_lost" }, { kind: "killed_after" }],
  s3: reads,
  sqs: reads,
};
const pollers = new Set(["DeleteMessageBatch", "GetQueueAttributes"]);
const deliveries: readonly [Fault, ...Fault[]] = [{ kind: "redelivered" }, { kind: "reordered" }];

/**
 * Decides which calls go wrong, and how. The n-th call of an operation by a function has the same fate in every run of a seed;
 * which request makes the n-th call is up to the operating system.
 */
export function createPlan(seed: number, onFault: (name: string) => void) {
  const streams = new Map<string, Random>();
  return (call: ServiceCall): Fault | null => {
    const name = `${call.service} ${call.operation}`;
    const stream = `${call.principal} ${name}`;
    const random = streams.get(stream) ?? createRandom(seed, stream);
    streams.set(stream, random);
    const isDelivery = call.operation === "ReceiveMessage";
    // Whoever has the stage's own key is the harness; what S3 and Lambda's poller do besides receiving is AWS's to mend.
    if (["admin", "s3.amazonaws.com"].includes(call.principal) || pollers.has(call.operation)) return null;
    if (!random.onceIn(isDelivery ? 4 : onceInCalls)) return null;
    const fault = random.pick(isDelivery ? deliveries : faultsOf[call.service]);
    onFault(`${call.service} ${fault.kind}`);
    return fault;
  };
}
