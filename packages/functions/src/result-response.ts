import type { Performed } from "@tollgate/core/completion/job";
import { presentResult } from "@tollgate/core/result/result";
import type { HttpRequest, HttpResponse } from "./http.ts";

/** Tells of a result that it was stored before. */
export const replayedHeader = (replayed: boolean): Record<string, string> =>
  replayed ? { "idempotent-replayed": "true" } : {};

/** A result that was asked for over HTTP. */
export const resultResponse = ({ result, replayed }: Performed): HttpResponse => ({
  status: 200,
  headers: replayedHeader(replayed),
  body: presentResult(result),
  resultId: result.id,
});

/** The same for a caller who would not wait: where to ask for the result, unless it is there already. */
export function deferredResponse(performed: Performed, { path, route }: HttpRequest): HttpResponse {
  const response = resultResponse(performed);
  if (performed.result.status !== "running") return response;
  const base = path.endsWith(route) ? path.slice(0, -route.length) : "";
  return {
    ...response,
    status: 202,
    headers: {
      ...response.headers,
      "preference-applied": "respond-async",
      location: `${base}/results/${performed.result.id}`,
    },
  };
}
