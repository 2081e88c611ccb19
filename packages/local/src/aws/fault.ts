import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout } from "node:timers/promises";

/** A call that a service is about to answer. */
export interface ServiceCall {
  service: "dynamodb" | "s3" | "sqs";
  /** Who calls: the function, also where Lambda polls in its name, `s3.amazonaws.com`, or `admin` with the stage's own key. */
  principal: string;
  operation: string;
  /** The invocation that it is made in, as Lambda's trace id, which AWS's SDKs send along; null outside of one. */
  traceId: string | null;
}

export const traceIdOf = ({ headers }: IncomingMessage): string | null => {
  const traceId = headers["x-amzn-trace-id"];
  return typeof traceId === "string" ? traceId : null;
};

/** How a call goes wrong. */
export type Fault =
  /** Answered with the service's own error, without effect. `conflict` is DynamoDB's, of a transaction. */
  | { kind: "throttled" | "conflict" | "unavailable" }
  /** Never answered, and without effect. */
  | { kind: "hang" }
  /** The connection is cut before the call takes effect. */
  | { kind: "reset" }
  /** It takes effect, and the connection is cut instead of an answer. */
  | { kind: "answer_lost" }
  /** Answered as always, later. */
  | { kind: "slow"; ms: number }
  /** The caller's execution environment is killed, before or after the call has taken effect. */
  | { kind: "killed_before" | "killed_after" }
  /** The caller's execution environment ends as by its function's time-out, before the call takes effect. */
  | { kind: "timed_out" }
  /** SQS: received as always, and visible again at once, so that it is delivered twice. */
  | { kind: "redelivered" }
  /** SQS: not in the order in which they were sent. */
  | { kind: "reordered" };

export interface Faults {
  /** Decides on each call, which waits for it; null for one that goes well. */
  strike(call: ServiceCall): Fault | null | Promise<Fault | null>;
  /** Ends the execution environment that makes the call. */
  end(call: ServiceCall, how: "kill" | "time-out"): void;
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/**
 * Lets a call go wrong. Returns whether it is to be carried out: if so, what answers it may be cut off. `refuse` answers with
 * the service's own error.
 */
export async function applyFault(
  fault: Fault | null,
  call: ServiceCall,
  faults: Faults | undefined,
  { request, response }: Exchange,
  refuse: (kind: "throttled" | "conflict" | "unavailable") => void,
): Promise<boolean> {
  const insteadOfAnAnswer = (act: () => void) => {
    response.writeHead = () => {
      // What writes on to a connection that is cut calls this again.
      if (!request.socket.destroyed) act();
      request.socket.destroy();
      return response;
    };
  };
  switch (fault?.kind) {
    case "throttled":
    case "conflict":
    case "unavailable":
      refuse(fault.kind);
      return false;
    case "hang":
      return false;
    case "reset":
      request.socket.destroy();
      return false;
    case "killed_before":
    case "timed_out":
      faults?.end(call, fault.kind === "timed_out" ? "time-out" : "kill");
      request.socket.destroy();
      return false;
    case "answer_lost":
      insteadOfAnAnswer(() => {});
      return true;
    case "killed_after":
      insteadOfAnAnswer(() => faults?.end(call, "kill"));
      return true;
    case "slow":
      await setTimeout(fault.ms);
      return true;
    default:
      return true;
  }
}
