import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout } from "node:timers/promises";

/** A call that a service is about to answer. */
export interface ServiceCall {
  service: "dynamodb" | "s3" | "sqs";
  /** Who calls: the function, also where Lambda polls in its name, `s3.amazonaws.com`, or `admin` with the stage's own key. */
  principal: string;
  operation: string;
}

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
  /** The caller's execution environments are killed, before or after the call has taken effect. */
  | { kind: "killed_before" | "killed_after" }
  /** SQS: received as always, and visible again at once, so that it is delivered twice. */
  | { kind: "redelivered" }
  /** SQS: not in the order in which they were sent. */
  | { kind: "reordered" };

export interface Faults {
  /** Decides on each call, which waits for it; null for one that goes well. */
  strike(call: ServiceCall): Fault | null | Promise<Fault | null>;
  /** Kills a function's execution environments. */
  kill(principal: string): void;
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
  { principal }: ServiceCall,
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
      faults?.kill(principal);
      request.socket.destroy();
      return false;
    case "answer_lost":
      insteadOfAnAnswer(() => {});
      return true;
    case "killed_after":
      insteadOfAnAnswer(() => faults?.kill(principal));
      return true;
    case "slow":
      await setTimeout(fault.ms);
      return true;
    default:
      return true;
  }
}
