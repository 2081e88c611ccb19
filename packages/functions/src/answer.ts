import { enqueue } from "@tollgate/core/completion/enqueue";
import type { Job, PerformDeps } from "@tollgate/core/completion/job";
import { perform } from "@tollgate/core/completion/run";
import { performStream } from "@tollgate/core/completion/stream";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { prefersAsync } from "./prefer.ts";
import { deferredResponse, resultResponse } from "./result-response.ts";
import { deferDeps } from "./runtime/deferred.ts";
import { resultEvents, streamResponse } from "./stream-response.ts";

/** Answers a job as its caller wants it: later, in pieces as they come, or whole. Later wins, as it was asked for in so many words. */
export async function answer<Body extends { stream?: boolean | null | undefined }>(
  deps: PerformDeps,
  job: Job,
  body: Body,
  request: HttpRequest,
): Promise<HttpResponse> {
  if (prefersAsync(request.headers.prefer))
    return deferredResponse(await enqueue(deferDeps, job, request.body ?? ""), request);
  if (body.stream) return streamResponse(await performStream(deps, job), resultEvents);
  return resultResponse(await perform(deps, job));
}
