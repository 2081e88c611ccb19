import type { Arrivals } from "./arrivals.ts";
import { messageOperations } from "./messages.ts";
import { queueOperations } from "./queues.ts";
import type { SqsStore } from "./store.ts";

export interface SqsDeps {
  store: SqsStore;
  arrivals: Arrivals;
  arnOf: (queue: string) => string;
  urlOf: (queue: string) => string;
  /** Redrives since the start, as `ListMessageMoveTasks` tells of them; the latest first. */
  moveTasks: MoveTask[];
  /** Messages are received out of order. */
  reordered?: boolean;
  now: () => number;
}

export interface MoveTask {
  SourceArn: string;
  DestinationArn: string | undefined;
  Status: "COMPLETED";
  ApproximateNumberOfMessagesMoved: number;
  ApproximateNumberOfMessagesToMove: number;
  /** Epoch milliseconds. */
  StartedTimestamp: number;
}

/** One SQS operation: input as JSON came in, output as JSON goes out. `signal` ends a long poll whose client has gone. */
export type Operation = (deps: SqsDeps, input: unknown, signal: AbortSignal) => unknown;

export const operations: Record<string, Operation> = { ...queueOperations, ...messageOperations };
