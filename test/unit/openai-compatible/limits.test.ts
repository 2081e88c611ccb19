import { AppError, errorBody } from "@tollgate/core/error";
import { chatCompletionRequest } from "@tollgate/core/openai-compatible/schema";
import { parseJsonBody } from "@tollgate/core/validation/request";
import { describe, expect, test } from "vitest";
import { requestIdentity } from "../../../packages/core/src/completion/caller.ts";
import { unlimited } from "../../../packages/core/src/key/limits.ts";

const request = { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello" }] };
const parse = (changes: object) => parseJsonBody(chatCompletionRequest, JSON.stringify({ ...request, ...changes }));
const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, "v"]));

function refusalOf(act: () => unknown) {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return { status: error.status, ...errorBody(error).error };
  }
  throw new Error("It was not refused.");
}

describe("POST /v1/chat/completions answers 400 in OpenAI's shape to", () => {
  test.each<[string, object, RegExp]>([
    ["metadata of 17 pairs", { metadata: pairs(17) }, /^metadata/],
    ["a metadata name of 65 characters", { metadata: { ["n".repeat(65)]: "v" } }, /^metadata/],
    ["a metadata value of 513 characters", { metadata: { k: "v".repeat(513) } }, /^metadata/],
    ["a metadata value that is no text", { metadata: { k: 1 } }, /^metadata/],
    ["a model's name of 257 characters", { model: "m".repeat(257) }, /^model$/],
  ])("%s", (_, changes, param) => {
    const refusal = refusalOf(() => parse(changes));
    expect(refusal).toMatchObject({ status: 400, type: "invalid_request_error", code: "invalid_request" });
    expect(refusal.param).toMatch(param);
  });

  test.each(["k".repeat(256), "", "é", "a\u0007b", "\u007f"])("the Idempotency-Key %j", (idempotencyKey) => {
    const caller = { owner: "acme", key: { ...unlimited, keyId: "key" }, idempotencyKey, deadlineMs: 0 };
    expect(refusalOf(() => requestIdentity(caller, "openai", request))).toMatchObject({
      status: 400,
      param: "Idempotency-Key",
    });
  });

  test("nothing that is within the limits", () => {
    const metadata = { ...pairs(15), ["n".repeat(64)]: "v".repeat(512) };
    expect(parse({ metadata }).metadata).toEqual(metadata);
  });
});
