import { chat } from "@tollgate/core/chat/chat";
import { chatRequest } from "@tollgate/core/chat/schema";
import { parseJsonBody } from "@tollgate/core/request";
import { streaming } from "./http.ts";
import { resultResponse } from "./result-response.ts";
import { chatDeps } from "./runtime/chat.ts";

export const handler = streaming(async (request) =>
  resultResponse(await chat(chatDeps, parseJsonBody(chatRequest, request.body), request)),
);
