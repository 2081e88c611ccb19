import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { answer, type Choice } from "./answer.ts";
import type { BillingLedger } from "./billed.ts";
import { type ChatCompletion, completionOf } from "./completion.ts";
import { type Fault, type Faults, statusError } from "./fault.ts";
import { stampProcessing } from "./http.ts";
import { loadPicture, type Picture } from "./image.ts";
import { imagesOf } from "./message.ts";
import type { PromptCache } from "./prompt-cache.ts";
import { rateLimitHeaders } from "./rate-limit.ts";
import { type ChatRequest, checkContext, parseRequest } from "./request.ts";
import { chunksOf } from "./stream.ts";
import { subjectOf } from "./subject.ts";
import { checkPatches, promptTokensOf, usageOf } from "./usage.ts";

export interface ExchangeDeps {
  faults: Faults;
  ledger: BillingLedger;
  promptCache: PromptCache;
  latencyMs: number;
  /** Tells which models are served. */
  clock: () => Date;
}

/** One request to `/v1/chat/completions` and its connection. */
export interface Exchange {
  body: unknown;
  request: IncomingMessage;
  response: ServerResponse;
  requestId: string;
  apiKey: string;
  /** When it came in, by `performance.now()`. */
  startedMs: number;
}

/**
 * Answers, unless a fault does otherwise. Billed the moment the work is done, before the first byte leaves.
 * @throws OpenAIError for what OpenAI refuses
 */
export async function exchangeCompletion(deps: ExchangeDeps, exchange: Exchange): Promise<void> {
  const chat = parseRequest(exchange.body, deps.clock());
  const pictures: Picture[] = [];
  for (const part of imagesOf(chat.messages)) {
    const picture = await loadPicture(part);
    if (chat.model.image) checkPatches(picture, chat.model.image, part.path);
    pictures.push(picture);
  }
  const prompt = promptTokensOf(chat, pictures);
  checkContext(chat, prompt.length);
  const fault = deps.faults.strike(chat.messages, chat.model, chat.modelId);
  const { request, response } = exchange;
  if (fault?.kind === "status") throw statusError(fault, chat.model);
  if (fault?.kind === "hang") return;
  if (fault?.kind === "reset") return void request.socket.resetAndDestroy();

  const choices = answer(chat, subjectOf(chat.messages, pictures), fault);
  // OpenAI goes on working, and bills, when the client hangs up meanwhile.
  await whileConnected(response, deps.latencyMs + (fault?.kind === "slow" ? fault.ms : 0));
  const completion = billedCompletion(deps, exchange, chat, choices, prompt);
  response.once("finish", () => {
    if (!isBroken(fault)) deps.ledger.deliver(completion.id);
  });
  for (const [name, value] of Object.entries(rateLimitHeaders(completion.usage.prompt_tokens)))
    response.setHeader(name, value);
  stampProcessing(response, exchange.startedMs);
  if (fault?.kind === "reset_after_billing") request.socket.resetAndDestroy();
  else if (chat.stream) await sendStream(response, completion, chat.includeUsage, fault);
  else sendBody(response, completion, fault);
}

/** Waits so long, or until the client is gone. */
async function whileConnected(response: ServerResponse, ms: number): Promise<void> {
  if (ms === 0 || response.destroyed) return;
  const gone = new AbortController();
  const abort = () => gone.abort();
  response.once("close", abort);
  await delay(ms, undefined, { signal: gone.signal }).catch(() => {});
  response.off("close", abort);
}

function billedCompletion(
  { promptCache, ledger }: ExchangeDeps,
  { requestId, apiKey }: Exchange,
  chat: ChatRequest,
  choices: Choice[],
  prompt: number[],
): ChatCompletion {
  const { cachedTokens, writtenTokens } = promptCache.read(chat.model.alias, prompt);
  const usage = usageOf({
    promptTokens: prompt.length,
    cachedTokens,
    cacheWriteTokens: chat.model.reportsCacheWrites ? writtenTokens : null,
    completionTokens: choices.reduce((sum, choice) => sum + choice.completionTokens, 0),
    reasoningTokens: choices.reduce((sum, choice) => sum + choice.reasoningTokens, 0),
  });
  const id = `chatcmpl-${randomUUID().replaceAll("-", "").slice(0, 29)}`;
  const created = Math.floor(Date.now() / 1000);
  const completion = completionOf(chat, choices, usage, { id, created });
  const { model, service_tier } = completion;
  ledger.bill({
    id,
    request_id: requestId,
    model,
    usage,
    service_tier,
    created,
    delivered: false,
    key_hint: apiKey.slice(-4),
  });
  return completion;
}

/** Faults after which the client cannot have read the answer, although the response ended. */
function isBroken(fault: Fault | null): boolean {
  return fault?.kind === "malformed" || fault?.kind === "truncated" || fault?.kind === "stream_break";
}

function sendBody(response: ServerResponse, completion: ChatCompletion, fault: Fault | null): void {
  const body = Buffer.from(JSON.stringify(completion, null, 2));
  response.setHeader("content-type", "application/json");
  if (fault?.kind === "malformed") return void response.end("<html><body>upstream connect error</body></html>");
  response.setHeader("content-length", body.length);
  if (fault?.kind === "truncated" || fault?.kind === "stream_break")
    return void response.write(body.subarray(0, body.length / 2), () => response.destroy());
  response.end(body);
}

/** A truncated stream is one broken off after its first chunks. */
const TRUNCATED_CHUNKS = 3;

async function sendStream(
  response: ServerResponse,
  completion: ChatCompletion,
  includeUsage: boolean,
  fault: Fault | null,
): Promise<void> {
  response.setHeader("content-type", "text/event-stream; charset=utf-8");
  response.setHeader("cache-control", "no-cache");
  if (fault?.kind === "malformed") return void response.end(`data: {"id": "${completion.id}", "choi\n\n`);
  const breakAfter =
    fault?.kind === "stream_break" ? fault.chunks : fault?.kind === "truncated" ? TRUNCATED_CHUNKS : Infinity;
  let sent = 0;
  response.flushHeaders();
  for (const chunk of chunksOf(completion, includeUsage)) {
    if (sent >= breakAfter) break;
    if (fault?.kind === "stream_pause" && sent === fault.chunks) await whileConnected(response, fault.ms);
    if (!(await sendEvent(response, JSON.stringify(chunk)))) return;
    sent += 1;
  }
  if (sent < breakAfter) response.end("data: [DONE]\n\n");
  else response.destroy();
}

/** Whether the client is still there to be sent more. */
async function sendEvent(response: ServerResponse, data: string): Promise<boolean> {
  if (response.destroyed) return false;
  const flushed = response.write(`data: ${data}\n\n`);
  if (flushed) await nextTurn();
  else await Promise.race([once(response, "drain"), once(response, "close")]);
  return !response.destroyed;
}
