import { chat, streamChat } from "@tollgate/core/chat/chat";
import { chatRequest } from "@tollgate/core/chat/schema";
import { parseJsonBody } from "@tollgate/core/request";
import { streaming } from "./http.ts";
import { resultResponse } from "./result-response.ts";
import { chatDeps } from "./runtime/chat.ts";
import { resultEvents, streamResponse } from "./stream-response.ts";

export const handler = streaming(async (request) => {
  const body = parseJsonBody(chatRequest, request.body);
  if (body.stream) return streamResponse(await streamChat(chatDeps, body, request), resultEvents);
  return resultResponse(await chat(chatDeps, body, request));
});
