import type { ChatCall } from "../completion/call.ts";
import { type Caller, httpJob } from "../completion/caller.ts";
import type { Job, PerformDeps } from "../completion/job.ts";
import { mendMessage } from "./mend-message.ts";
import { streamOptionsOf, toChatCall } from "./params.ts";
import type { ChatRequest } from "./schema.ts";

export interface ChatDeps extends PerformDeps {
  defaultModel: string;
}

/** The work of one `POST /chat`. Everything that can be refused is refused here, before anything is stored or asked of OpenAI. */
export const chatJob = (deps: ChatDeps, request: ChatRequest, caller: Caller): Job =>
  httpJob("chat", request, caller, chatCall(deps, request, caller.body));

/** OpenAI's request for a chat, whose caller wrote it as `body`. Throws for what OpenAI would refuse. */
export function chatCall(deps: Pick<ChatDeps, "defaultModel">, request: ChatRequest, body?: string | null): ChatCall {
  const { messages, stream: _, stream_options, ...parameters } = request;
  const call = toChatCall(messages.map(mendMessage), parameters, deps.defaultModel, body);
  return { ...call, streamOptions: streamOptionsOf(stream_options) };
}
