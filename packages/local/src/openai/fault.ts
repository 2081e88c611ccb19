import { type OpenAIError, openAIError } from "./error.ts";
import { type Message, textOf } from "./message.ts";
import type { Model } from "./models.ts";
import {
  arrayAt,
  closedObjectAt,
  type Fields,
  integerAt,
  objectAt,
  oneOfAt,
  optional,
  required,
  stringAt,
} from "./parameter.ts";

export type Fault =
  | {
      kind: "status";
      status: number;
      code: string | null;
      type: string | null;
      retryAfter: number | null;
      retryAfterMs: number | null;
    }
  /** Answers after `ms`, as always. */
  | { kind: "slow"; ms: number }
  /** Says at least so many bytes more than it has to say. */
  | { kind: "long"; bytes: number }
  /** Ends a stream after so many chunks; a plain response half-way. */
  | { kind: "stream_break"; chunks: number }
  /** Sends so many chunks of a stream, and the others after `ms`. */
  | { kind: "stream_pause"; chunks: number; ms: number }
  | { kind: (typeof PLAIN_KINDS)[number] };

const PLAIN_KINDS = [
  /** Never answers. */
  "hang",
  /** Resets the connection before anything is billed. */
  "reset",
  /** Does the work, bills it, then resets the connection. */
  "reset_after_billing",
  /** 200 with a body that is not JSON. Billed. */
  "malformed",
  /** 200 with a body that ends early. Billed. */
  "truncated",
  /** 200 without choices. Billed. */
  "no_choices",
  "refusal",
  "length",
  "content_filter",
  "tool_calls",
  /** Valid JSON that does not fit the schema asked for. */
  "off_schema",
  /** Content that is not JSON, though it says it is done. */
  "bad_json",
] as const;
const KINDS = [...PLAIN_KINDS, "status", "slow", "long", "stream_break", "stream_pause"] as const;

export interface Rule {
  contains: string | null;
  model: string | null;
  /** The first matching request that it strikes, counted from 1. */
  nth: number;
  /** Of the matching requests from there on, it strikes each so-manieth. */
  every: number;
  /** How many it strikes; 0 for all. */
  times: number;
  fault: Fault;
}

export interface Faults {
  add(rules: Rule[]): void;
  list(): Rule[];
  clear(): void;
  /** The fault that strikes this request, by a rule (in their order) or else by a marker in its text. */
  strike(messages: Message[], model: Model, modelId: string): Fault | null;
}

export function createFaults(): Faults {
  const seen = new Map<Rule, number>();
  const seenMarkers = new Map<string, number>();
  return {
    add(rules) {
      for (const rule of rules) seen.set(rule, 0);
    },
    list: () => [...seen.keys()],
    clear() {
      seen.clear();
      seenMarkers.clear();
    },
    strike(messages, model, modelId) {
      const text = messages.map(textOf).join("\n");
      let struck: Fault | null = null;
      for (const [rule, before] of seen) {
        if (rule.model !== null && rule.model !== modelId && rule.model !== model.alias) continue;
        if (rule.contains !== null && !text.includes(rule.contains)) continue;
        // Every rule counts the requests that it matches, also those that an earlier rule struck.
        seen.set(rule, before + 1);
        if (struck === null && strikes(rule, before + 1)) struck = rule.fault;
      }
      return struck ?? markedFault(messages, seenMarkers);
    },
  };
}

function strikes({ nth, every, times }: Rule, matched: number): boolean {
  const after = matched - nth;
  return after >= 0 && after % every === 0 && (times === 0 || after < every * times);
}

/** `POST /_control/faults`: a list of rules, or one. @throws OpenAIError 400 */
export function rulesAt(body: unknown): Rule[] {
  return arrayAt(Array.isArray(body) ? body : [body], "rules").map((item, index) => {
    const path = `rules[${index}]`;
    const rule = closedObjectAt(item, path, ["match", "times", "fault"]);
    const match = optional(rule.match, (value) =>
      closedObjectAt(value, `${path}.match`, ["contains", "model", "nth", "every"]),
    );
    return {
      contains: optional(match?.contains, (value) => stringAt(value, `${path}.match.contains`)),
      model: optional(match?.model, (value) => stringAt(value, `${path}.match.model`)),
      nth: optional(match?.nth, (value) => integerAt(value, `${path}.match.nth`, { min: 1 })) ?? 1,
      every: optional(match?.every, (value) => integerAt(value, `${path}.match.every`, { min: 1 })) ?? 1,
      times: optional(rule.times, (value) => integerAt(value, `${path}.times`, { min: 0 })) ?? 1,
      fault: faultAt(objectAt(required(rule, "fault", `${path}.fault`), `${path}.fault`), `${path}.fault`),
    };
  });
}

/** What a fault may ask for: a longer answer or pause would hold the stage itself up. */
const MOST = { ms: 3_600_000, bytes: 10_000_000, chunks: 1_000_000 };

function faultAt(fields: Fields, path: string): Fault {
  const kind = oneOfAt(required(fields, "kind", `${path}.kind`), `${path}.kind`, KINDS);
  const number = (key: keyof typeof MOST | "retry_after_ms", min: number) =>
    optional(fields[key], (value) =>
      integerAt(value, `${path}.${key}`, { min, max: key === "retry_after_ms" ? undefined : MOST[key] }),
    );
  if (kind === "slow") {
    closedObjectAt(fields, path, ["kind", "ms"]);
    return { kind, ms: number("ms", 0) ?? 1000 };
  }
  if (kind === "long") {
    closedObjectAt(fields, path, ["kind", "bytes"]);
    return { kind, bytes: number("bytes", 1) ?? 400_000 };
  }
  if (kind === "stream_break") {
    closedObjectAt(fields, path, ["kind", "chunks"]);
    return { kind, chunks: number("chunks", 0) ?? 3 };
  }
  if (kind === "stream_pause") {
    closedObjectAt(fields, path, ["kind", "chunks", "ms"]);
    return { kind, chunks: number("chunks", 0) ?? 1, ms: number("ms", 0) ?? 1000 };
  }
  if (kind !== "status") {
    closedObjectAt(fields, path, ["kind"]);
    return { kind };
  }
  closedObjectAt(fields, path, ["kind", "status", "code", "type", "retry_after", "retry_after_ms"]);
  return {
    kind,
    status: integerAt(required(fields, "status", `${path}.status`), `${path}.status`, { min: 400, max: 599 }),
    code: optional(fields.code, (value) => stringAt(value, `${path}.code`)),
    type: optional(fields.type, (value) => stringAt(value, `${path}.type`)),
    retryAfter: optional(fields.retry_after, (value) => integerAt(value, `${path}.retry_after`, { min: 0 })),
    retryAfterMs: number("retry_after_ms", 0),
  };
}

const MARKER = /\[\[fault:(\w+)((?:\s+\w+=\S+?)*)\s*\]\]/;

/**
 * `[[fault:429 retry_after=1]]`, `[[fault:slow ms=500]]`, `[[fault:insufficient_quota]]`: strikes until an assistant has answered
 * the message that holds it, or with `times=2` twice. It counts by the conversation, which is all up to and with that message: an
 * agent that sends it again with a tool's results goes on in the same conversation, and comes to an end.
 */
function markedFault(messages: Message[], seen: Map<string, number>): Fault | null {
  for (const [index, message] of messages.entries()) {
    if (message.role === "assistant") continue;
    const [marker, name = "", options = ""] = MARKER.exec(textOf(message)) ?? [];
    if (marker === undefined) continue;
    const { times, ...parameters } = Object.fromEntries(
      [...options.matchAll(/(\w+)=(\S+)/g)].map(([, key = "", value = ""]) => [
        key,
        /^\d+$/.test(value) ? Number(value) : value,
      ]),
    );
    const fault = faultAt({ ...faultNamed(name), ...parameters }, marker);
    if (times === undefined || times === 0) {
      if (messages.slice(index).some(({ role }) => role === "assistant")) continue;
      return fault;
    }
    const conversation = JSON.stringify(messages.slice(0, index + 1).map((said) => [said.role, textOf(said)]));
    const struck = seen.get(conversation) ?? 0;
    if (struck >= Number(times)) continue;
    seen.set(conversation, struck + 1);
    return fault;
  }
  return null;
}

function faultNamed(name: string): Fields {
  if (/^\d+$/.test(name)) return { kind: "status", status: Number(name) };
  if (name === "insufficient_quota") return { kind: "status", status: 429, code: name };
  return { kind: name };
}

const QUOTA =
  "You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.";

/** The error that a `status` fault answers with, in OpenAI's words for that status. */
export function statusError(fault: Extract<Fault, { kind: "status" }>, model: Model): OpenAIError {
  const { status, retryAfter, retryAfterMs } = fault;
  const usual = usualError(status, fault.code, model);
  return openAIError(status, usual.message, {
    type: fault.type ?? usual.type,
    code: fault.code ?? usual.code,
    headers: {
      ...(retryAfter === null ? {} : { "retry-after": String(retryAfter) }),
      ...(retryAfterMs === null ? {} : { "retry-after-ms": String(retryAfterMs) }),
    },
  });
}

function usualError(status: number, code: string | null, { alias }: Model) {
  if (code === "insufficient_quota") return { message: QUOTA, type: "insufficient_quota", code };
  if (status === 429)
    return {
      message: `Rate limit reached for ${alias} on requests per min (RPM): Limit 500, Used 500, Requested 1. Please try again in 120ms.`,
      type: "requests",
      code: "rate_limit_exceeded",
    };
  if (status === 503)
    return { message: "The engine is currently overloaded, please try again later.", type: "server_error", code: null };
  if (status >= 500)
    return {
      message: "The server had an error while processing your request. Sorry about that!",
      type: "server_error",
      code: null,
    };
  if (status === 403 && code === "model_not_found")
    // continuedev/continue#10120 (2026-02)
    return {
      message: `Project \`proj_local\` does not have access to model \`${alias}\``,
      type: "invalid_request_error",
      code,
    };
  if (status === 401)
    return { message: "Incorrect API key provided.", type: "invalid_request_error", code: "invalid_api_key" };
  return { message: `The request was refused with status ${status}.`, type: "invalid_request_error", code: null };
}
