// Before anything that imports OpenAI's client.
import "./runtime/web.ts";
import { chatJob } from "@tollgate/core/chat/chat";
import { chatRequest } from "@tollgate/core/chat/schema";
import { parseJsonBody } from "@tollgate/core/validation/request";
import { answer } from "./answer.ts";
import { streaming } from "./http.ts";
import { chatDeps } from "./runtime/chat.ts";

export const handler = streaming(async (request) => {
  const body = parseJsonBody(chatRequest, request.body);
  return answer(chatDeps, chatJob(chatDeps, body, request), body, request);
});
