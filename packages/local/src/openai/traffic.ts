import type { ServerResponse } from "node:http";

/** Counts requests to `/v1/chat/completions`, so that a test can see what a concurrency limit lets through. */
export interface Traffic {
  enter(response: ServerResponse): void;
  report(): { received: number; in_flight: number; max_in_flight: number };
  /** Counts anew; requests in flight stay counted as such. */
  reset(): void;
}

export function createTraffic(): Traffic {
  let [received, inFlight, maxInFlight] = [0, 0, 0];
  return {
    enter(response) {
      received += 1;
      inFlight += 1;
      maxInFlight = Math.max(maxInFlight, inFlight);
      response.once("close", () => {
        inFlight -= 1;
      });
    },
    report: () => ({ received, in_flight: inFlight, max_in_flight: maxInFlight }),
    reset() {
      received = 0;
      maxInFlight = inFlight;
    },
  };
}
