import type * as z from "zod";
import { AppError } from "../error.ts";
import { mostTelling } from "./issue.ts";
import { jitless } from "./jitless.ts";
import { maxLevels, nestsDeeperThan } from "./json-depth.ts";

/** `["messages", 0, "content"]` → `messages[0].content`, as OpenAI writes `param`. */
export const paramOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key)),
    "",
  );

/** Parses a request, or throws `invalid_request` naming the first field at fault, what was wrong and what would be right. */
export function parseRequest<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input, { reportInput: true, ...jitless });
  if (parsed.success) return parsed.data;
  const { path, message } = mostTelling(parsed.error.issues, schema);
  const param = paramOf(path);
  throw new AppError("invalid_request", param ? `${param}: ${message}` : message, { param: param || undefined });
}

/** Parses a JSON body. Throws `invalid_request` when it is missing, is not JSON or nests too deeply. */
export function parseJsonBody<T>(schema: z.ZodType<T>, body: string | null): T {
  if (!body?.trim()) throw new AppError("invalid_request", "The body is empty: send a JSON object.");
  let input: unknown;
  try {
    input = JSON.parse(body);
  } catch (error) {
    const where =
      error instanceof SyntaxError ? /position \d+( \(line \d+ column \d+\))?/.exec(error.message)?.[0] : null;
    throw new AppError(
      "invalid_request",
      `The body is not valid JSON${where ? ` (at ${where})` : ""}: send a JSON object.`,
    );
  }
  refuseDeep(input);
  return parseRequest(schema, input);
}

/** Before anything walks through it, and long before a call of OpenAI's that could not be written. */
function refuseDeep(input: unknown): void {
  if (!nestsDeeperThan(maxLevels, input)) return;
  const fields = Object.entries(Object(input));
  const [param] = fields.find(([, value]) => nestsDeeperThan(maxLevels - 1, value)) ?? [];
  const message = `${param}: It nests too deeply. A body has at most ${maxLevels} levels.`;
  throw new AppError("invalid_request", message, { param });
}
