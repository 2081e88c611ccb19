import { defer } from "@tollgate/core/deferred/defer";
import { parseJsonBody } from "@tollgate/core/request";
import { visionRequest } from "@tollgate/core/vision/schema";
import { vision, visionJob } from "@tollgate/core/vision/vision";
import { streaming } from "./http.ts";
import { prefersAsync } from "./prefer.ts";
import { deferredResponse, resultResponse } from "./result-response.ts";
import { chatDeps } from "./runtime/chat.ts";
import { deferDeps } from "./runtime/deferred.ts";
import { images } from "./runtime/s3.ts";

const deps = { ...chatDeps, images };

export const handler = streaming(async (request) => {
  const body = parseJsonBody(visionRequest, request.body);
  if (!prefersAsync(request.headers.prefer)) return resultResponse(await vision(deps, body, request));
  return deferredResponse(await defer(deferDeps, await visionJob(deps, body, request), body), request);
});
