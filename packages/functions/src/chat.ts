import { chat, chatJob } from "@tollgate/core/chat/chat";
import { chatRequest } from "@tollgate/core/chat/schema";
import { defer } from "@tollgate/core/deferred/defer";
import { parseJsonBody } from "@tollgate/core/request";
import { streaming } from "./http.ts";
import { prefersAsync } from "./prefer.ts";
import { deferredResponse, resultResponse } from "./result-response.ts";
import { chatDeps } from "./runtime/chat.ts";
import { deferDeps } from "./runtime/deferred.ts";

export const handler = streaming(async (request) => {
  const body = parseJsonBody(chatRequest, request.body);
  if (!prefersAsync(request.headers.prefer)) return resultResponse(await chat(chatDeps, body, request));
  return deferredResponse(await defer(deferDeps, chatJob(chatDeps, body, request), body), request);
});
