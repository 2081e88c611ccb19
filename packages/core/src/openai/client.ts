import OpenAI from "openai";
import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import { AppError } from "../error.ts";
import { isJsonObject } from "../json/object.ts";
import { tryJson } from "../json/try.ts";
import { modelName } from "../model/name.ts";
import { jitless } from "../validation/jitless.ts";
import { hasTokens, saysSomething } from "./accumulate.ts";
import { bodyOf } from "./body.ts";
import { followCall, type OnCall } from "./call.ts";
import { AnswerError, failureOf } from "./error.ts";
import { errorIn } from "./error-body.ts";
import { createFetch } from "./fetch.ts";
import { type Attempts, type RetryOptions, withRetries } from "./retry.ts";
import { serverSentEvents } from "./sse.ts";
import { readChunks } from "./stream.ts";
import { type OpenAIRequest, setMember, type Verbatim } from "./verbatim.ts";

export interface UpstreamOptions {
  apiKey: string;
  /** OpenAI itself when left out; Ollama, vLLM and other servers that speak its protocol work too. */
  baseUrl?: string | undefined;
  /** The longest one attempt may take, from connecting to the last byte; in a stream, the longest silence. */
  attemptTimeoutMs: number;
  /** The longest that all attempts of one call may take, with the waits between them. */
  budgetMs: number;
  /** 1 where another layer retries, such as a queue. */
  maxAttempts: number;
  /** Hears of every call for a completion, those too that are retried. */
  onCall?: OnCall;
  now?: () => number;
  random?: () => number;
  sleep?: (ms: number) => Promise<void>;
}

type Params = ChatCompletionCreateParamsNonStreaming;

/** An answer of OpenAI's, whatever it says: judging it is not this layer's work. */
export interface Completion extends Attempts {
  /** OpenAI's body, to the byte. */
  text: string;
  body: unknown;
  requestId: string | null;
  /** Why the answer is not whole, although some of it came and was paid for. */
  broken?: AppError | null;
}

/** An answer that has begun. */
export interface CompletionStream extends Attempts {
  requestId: string | null;
  /**
   * Each chunk as JSON text. Throws when the stream breaks off, or is silent for too long, and `AnswerError` when it ends with an
   * error.
   */
  events: AsyncIterable<string>;
}

/**
 * `deadlineMs`: epoch milliseconds by which there must be an answer or an error. All throw `UpstreamFailure`. In `params`, an
 * image's `url` may be an `InlineImage`. `verbatim` is what of the request is sent as its caller wrote it.
 */
export interface Upstream {
  /** Begins to connect, so that a call soon after need not wait for it. Never throws: the call would find out. */
  connect(): void;
  complete(params: Params, deadlineMs: number, verbatim?: Verbatim): Promise<Completion>;
  /** Retries until the stream begins. Always asks for the usage, which comes in the last event. */
  stream(params: Params, deadlineMs: number, verbatim?: Verbatim): Promise<CompletionStream>;
  /** `GET /models` and `GET /models/{id}`: OpenAI's body, to the byte. Throws `model_not_found` for what cannot be a name. */
  models(id: string | null, deadlineMs: number): Promise<{ text: string }>;
}

/**
 * OpenAI's own client, with its retries off: it also retries an exhausted quota, and ignores a `retry-after` of over a
 * minute.
 */
export function createUpstream(options: UpstreamOptions): Upstream {
  const retries: RetryOptions = {
    attemptTimeoutMs: options.attemptTimeoutMs,
    maxAttempts: options.maxAttempts,
    now: options.now ?? Date.now,
    random: options.random ?? Math.random,
    sleep: options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms))),
  };
  const fetch = createFetch();
  const client = new OpenAI({
    apiKey: options.apiKey,
    baseURL: options.baseUrl,
    maxRetries: 0,
    timeout: options.attemptTimeoutMs,
    fetch: async (input, init) => withOpenAIsError(await fetch(input, init)),
  });
  const follow = (model: string) => followCall(model, options.onCall ?? (() => {}), retries.now);
  const withinBudget = (deadlineMs: number) => Math.min(deadlineMs, retries.now() + options.budgetMs);

  return {
    connect: () => fetch.connect(client.baseURL),

    complete: (params, deadlineMs, verbatim) =>
      withRetries(retries, withinBudget(deadlineMs), async (timeoutMs) => {
        const call = follow(params.model);
        // The client's own timeout ends with the response's headers; this signal also covers its body.
        const signal = AbortSignal.timeout(timeoutMs);
        try {
          const response = await ask(client, { params, verbatim }, signal);
          const text = await response.text();
          const body: unknown = JSON.parse(text);
          const error = errorIn(body);
          const broken = error && failureOf(new AnswerError(error, response.headers), false);
          if (broken && !wasPaidFor(body)) return call.failed(broken);
          const requestId = response.headers.get("x-request-id");
          return call.answered({ text, body, requestId, ...(broken && { broken: broken.error }) });
        } catch (error) {
          return call.failed(failureOf(error, signal.aborted));
        }
      }),

    stream: (params, deadlineMs, verbatim) =>
      withRetries(retries, withinBudget(deadlineMs), async (timeoutMs) => {
        const call = follow(params.model);
        const abort = new AbortController();
        const untilHeaders = setTimeout(() => abort.abort(), timeoutMs);
        try {
          const asked = ask(client, streamed({ params, verbatim }), abort.signal);
          const response = await asked.finally(() => clearTimeout(untilHeaders));
          const events = serverSentEvents(response, { abort, silenceMs: options.attemptTimeoutMs, deadlineMs });
          const { texts, codeOf } = await readChunks(events, response.headers);
          return { requestId: response.headers.get("x-request-id"), events: call.pieces(texts, codeOf) };
        } catch (error) {
          return call.failed(failureOf(error, abort.signal.aborted));
        }
      }),

    models: async (id, deadlineMs) => {
      if (id !== null && !isModelName(id)) {
        throw new AppError("model_not_found", "There is no model of this name.", { param: "model" });
      }
      return withRetries(retries, withinBudget(deadlineMs), async (timeoutMs) => {
        const signal = AbortSignal.timeout(timeoutMs);
        try {
          const path = id === null ? "/models" : `/models/${encodeURIComponent(id)}`;
          const response = await client.get(path, { signal }).asResponse();
          return { text: await response.text() };
        } catch (error) {
          return failureOf(error, signal.aborted);
        }
      });
    },
  };
}

/** The request as one whose answer comes in pieces, with the usage in the last. */
function streamed(request: OpenAIRequest): OpenAIRequest {
  const { stream, stream_options } = request.params as {
    stream?: unknown;
    stream_options?: OpenAI.ChatCompletionStreamOptions;
  };
  const streaming = stream === true ? request : setMember(request, "stream", true);
  if (stream_options?.include_usage === true) return streaming;
  return setMember(streaming, "stream_options", { ...stream_options, include_usage: true });
}

/** What the client's own `create` does, but for a body that it leaves alone. */
function ask(client: OpenAI, request: OpenAIRequest, signal: AbortSignal): Promise<Response> {
  const body = bodyOf(request);
  const headers = { "content-type": "application/json" };
  if (typeof body === "string") return client.post("/chat/completions", { body, headers, signal }).asResponse();
  const pieces = ReadableStream.from(body.pieces());
  const withLength = { ...headers, "content-length": String(body.contentLength) };
  return client.post("/chat/completions", { body: pieces, headers: withLength, signal }).asResponse();
}

/** Some of an answer came, or its tokens were counted. */
const wasPaidFor = (body: unknown): boolean => isJsonObject(body) && (saysSomething(body) || hasTokens(body.usage));

/** OpenAI's client reads an error only where OpenAI itself puts it. */
function withOpenAIsError(response: Response): Response {
  if (response.ok) return response;
  const text = async () => {
    const body = await response.text();
    const told = errorIn(tryJson(body), response.status);
    return told ? JSON.stringify({ error: told.error }) : body;
  };
  return { ...response, text };
}

/**
 * Whether this can name a model: it becomes a part of the path, where `..` would lead elsewhere. A proxy may decode it once more
 * than we do.
 */
function isModelName(id: string): boolean {
  const decoded = id.replace(/%(25)*2e/gi, ".").replace(/%(25)*2f|%(25)*5c|\\/gi, "/");
  const isOdd = decoded.split("/").some((segment) => ["", ".", ".."].includes(segment));
  return !isOdd && modelName.safeParse(id, jitless).success;
}
