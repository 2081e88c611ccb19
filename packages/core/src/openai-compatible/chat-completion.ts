import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import { metadataStaysHere } from "../chat/metadata.ts";
import { type Caller, requestIdentity } from "../completion/caller.ts";
import type { Job, PerformDeps, Performed } from "../completion/job.ts";
import { perform } from "../completion/run.ts";
import { type PerformedStream, performStream } from "../completion/stream.ts";
import { type OpenAIRequest, removeMember, requestAsWritten } from "../openai/verbatim.ts";
import type { ChatCompletionRequest } from "./schema.ts";

/** Answers one `POST /v1/chat/completions`: the result's `answer` is OpenAI's body, to the byte. */
export const chatCompletion = async (
  deps: PerformDeps,
  request: ChatCompletionRequest,
  caller: Caller,
): Promise<Performed> => perform(deps, job(request, caller));

/** As `chatCompletion`, in pieces as they come. */
export const streamChatCompletion = async (
  deps: PerformDeps,
  request: ChatCompletionRequest,
  caller: Caller,
): Promise<PerformedStream> => performStream(deps, job(request, caller));

function job(request: ChatCompletionRequest, caller: Caller): Job {
  return {
    ...requestIdentity(caller, "openai", request),
    kind: "chat",
    source: "openai",
    owner: caller.owner,
    key: caller.key,
    model: request.model,
    schema: null,
    metadata: request.metadata ?? {},
    image: null,
    // OpenAI's clients judge the content themselves: here every answer is good.
    prepare: () => ({ ...upstreamRequest(request, caller.body), format: { type: "text" } }),
    deadlineMs: caller.deadlineMs,
    onFailure: "fail",
  };
}

/** What the caller wrote, to the byte where nothing has to change. */
function upstreamRequest(request: ChatCompletionRequest, body: string | null | undefined): OpenAIRequest {
  const params = request as unknown as ChatCompletionCreateParamsNonStreaming;
  const written: OpenAIRequest = body ? requestAsWritten(params, body) : { params };
  return metadataStaysHere(params) ? removeMember(written, "metadata") : written;
}
