// Before anything that imports OpenAI's client.
import "./runtime/web.ts";
import type { AppError } from "@tollgate/core/error";
import { chatCompletion, streamChatCompletion } from "@tollgate/core/openai-compatible/chat-completion";
import { listModels, readModel } from "@tollgate/core/openai-compatible/models";
import { chatCompletionRequest } from "@tollgate/core/openai-compatible/schema";
import { parseJsonBody } from "@tollgate/core/validation/request";
import { errorResponse, type HttpRequest, type HttpResponse, streaming } from "./http.ts";
import { replayedHeader } from "./result-response.ts";
import { chatDeps } from "./runtime/chat.ts";
import { openaiAnswerOf, openaiEvents, streamResponse } from "./stream-response.ts";

/** OpenAI's own API, for any client that knows it. */
export const handler = streaming(
  (request) => (request.route.startsWith("/v1/models") ? models(request) : completions(request)),
  asOpenAI,
);

async function completions(request: HttpRequest): Promise<HttpResponse> {
  const body = parseJsonBody(chatCompletionRequest, request.body);
  if (body.stream) {
    const stream = await streamChatCompletion(chatDeps, body, request);
    return streamResponse(stream, openaiEvents(body.stream_options?.include_usage === true));
  }
  const { result, replayed } = await chatCompletion(chatDeps, body, request);
  return {
    status: 200,
    headers: replayedHeader(replayed),
    body: result.answer ?? "",
    resultId: result.id,
  };
}

async function models(request: HttpRequest): Promise<HttpResponse> {
  const { model } = request.params;
  const { upstream } = chatDeps;
  const text = model === undefined ? listModels(upstream, request) : readModel(upstream, model, request);
  return { status: 200, body: await text };
}

/**
 * What OpenAI says goes to the caller as it is, so that clients raise the class that OpenAI's status has. Our own key is ours to
 * mend, and never the caller's 401. A retry that would only fail again is forbidden.
 */
function asOpenAI(error: AppError): HttpResponse {
  const response = errorResponse(error);
  const said = openaiAnswerOf(error);
  const isFinal = !error.retryable || error.code === "upstream_quota";
  return {
    ...response,
    ...(said && { status: said.status, body: { error: said.error } }),
    headers: { ...response.headers, ...(isFinal && { "x-should-retry": "false" }) },
  };
}
