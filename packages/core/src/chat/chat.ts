import { type Caller, requestIdentity } from "../result/caller.ts";
import { type Job, type PerformDeps, type Performed, perform } from "../result/perform.ts";
import { type PerformedStream, performStream } from "../result/perform-stream.ts";
import { refuseBadImages } from "../vision/content.ts";
import { toChatCall } from "./params.ts";
import type { ChatRequest } from "./schema.ts";

export interface ChatDeps extends PerformDeps {
  defaultModel: string;
}

/** Answers one `POST /chat`. Everything that can be refused is refused before anything is stored or asked of OpenAI. */
export const chat = async (deps: ChatDeps, request: ChatRequest, caller: Caller): Promise<Performed> =>
  perform(deps, chatJob(deps, request, caller));

/** As `chat`, in pieces as they come. */
export const streamChat = async (deps: ChatDeps, request: ChatRequest, caller: Caller): Promise<PerformedStream> =>
  performStream(deps, chatJob(deps, request, caller));

function chatJob(deps: ChatDeps, request: ChatRequest, caller: Caller): Job {
  const { messages, stream: _, ...parameters } = request;
  refuseBadImages(messages);
  const call = toChatCall(messages, parameters, deps.defaultModel);
  return {
    ...requestIdentity(caller, "chat", request),
    kind: "chat",
    source: "http",
    owner: caller.owner,
    key: caller.key,
    model: call.model,
    schema: call.schema,
    metadata: request.metadata ?? {},
    image: null,
    prepare: () => ({ params: call.params, format: call.format }),
    deadlineMs: caller.deadlineMs,
    onFailure: "fail",
  };
}
