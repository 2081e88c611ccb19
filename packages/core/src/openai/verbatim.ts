import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import { withMember, withoutMember, withoutShadowed } from "../json/edit.ts";
import { parseExactly } from "../json/exact.ts";
import { survey } from "../json/survey.ts";

type Params = ChatCompletionCreateParamsNonStreaming;

/**
 * The parts of a request that go to OpenAI as their caller wrote them. Written anew from `params` they could differ: JavaScript rounds
 * long numbers, and sorts names that look like numbers.
 */
export type Verbatim =
  /** The request's own text. */
  | { request: string }
  /** The texts of some of its members. */
  | { members: Readonly<Record<string, string>> };

/** A request for OpenAI, in two forms that say the same: to read here, and as it is sent. `setMember` changes both. */
export interface OpenAIRequest {
  params: Params;
  /** Left out, the request is written from `params`. */
  verbatim?: Verbatim | undefined;
}

/** The caller's own request for OpenAI, whose text is `text`: to the byte, but for members that JSON.parse does not see. */
export function requestAsWritten(params: object, text: string): OpenAIRequest {
  const { shadowed, hasRounded } = survey(text);
  const request = withoutShadowed(text, shadowed);
  // What it may cost is bounded by all digits that are sent.
  return { params: (hasRounded ? parseExactly(request) : params) as Params, verbatim: { request } };
}

/** The request with these members as they stand in `text`, an object that has the same values under these names. */
export function withMembersAsWritten<R extends OpenAIRequest>(request: R, names: readonly string[], text: string): R {
  const { members, hasRounded } = survey(text);
  const written = members.filter(({ name }) => names.includes(name));
  const texts = Object.fromEntries(
    written.map(({ name, valueStart, end }) => [name, withoutShadowed(text.slice(valueStart, end))]),
  );
  const exact = hasRounded ? Object.entries(texts).map(([name, value]) => [name, parseExactly(value)]) : [];
  return { ...request, params: { ...request.params, ...Object.fromEntries(exact) }, verbatim: { members: texts } };
}

/** The request with another value for one of its members, in both of its forms. */
export function setMember<R extends OpenAIRequest>(request: R, name: string, value: unknown): R {
  const params = { ...request.params, [name]: value };
  const { verbatim } = request;
  if (!verbatim) return { ...request, params };
  if ("request" in verbatim) {
    return { ...request, params, verbatim: { request: withMember(verbatim.request, name, JSON.stringify(value)) } };
  }
  return { ...request, params, verbatim: { members: without(verbatim.members, name) } };
}

/** The request without one of its members, in both of its forms. */
export function removeMember<R extends OpenAIRequest>(request: R, name: string): R {
  const params = without(request.params as unknown as Record<string, unknown>, name) as unknown as Params;
  const { verbatim } = request;
  if (!verbatim) return { ...request, params };
  if ("request" in verbatim) {
    return { ...request, params, verbatim: { request: withoutMember(verbatim.request, name) } };
  }
  return { ...request, params, verbatim: { members: without(verbatim.members, name) } };
}

function without<T>(members: Readonly<Record<string, T>>, name: string): Record<string, T> {
  const { [name]: _, ...others } = members;
  return others;
}
