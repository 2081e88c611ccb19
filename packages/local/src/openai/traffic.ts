import type { IncomingMessage, ServerResponse } from "node:http";

/** Counts requests to `/v1/chat/completions`, so that a test can see what a concurrency limit lets through. */
export interface Traffic {
  enter(request: IncomingMessage, response: ServerResponse): void;
  /** `received_bytes` are those of the bodies. */
  report(): { received: number; received_bytes: number; in_flight: number; max_in_flight: number };
  /** Counts anew; requests in flight stay counted as such. */
  reset(): void;
}

export function createTraffic(): Traffic {
  let [received, receivedBytes, inFlight, maxInFlight] = [0, 0, 0, 0];
  return {
    enter(request, response) {
      received += 1;
      receivedBytes += Number(request.headers["content-length"] ?? 0);
      inFlight += 1;
      maxInFlight = Math.max(maxInFlight, inFlight);
      response.once("close", () => {
        inFlight -= 1;
      });
    },
    report: () => ({ received, received_bytes: receivedBytes, in_flight: inFlight, max_in_flight: maxInFlight }),
    reset() {
      [received, receivedBytes] = [0, 0];
      maxInFlight = inFlight;
    },
  };
}
