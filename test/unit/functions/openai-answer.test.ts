import { AppError } from "@tollgate/core/error";
import { APIError } from "openai";
import { describe, expect, test } from "vitest";
import { failureOf } from "../../../packages/core/src/openai/error.ts";
import { openaiAnswerOf, openaiEvents } from "../../../packages/functions/src/stream-response.ts";

/** What OpenAI said with this status, as our error. */
const errorOf = (status: number, told: object): AppError =>
  failureOf(APIError.generate(status, { error: { message: "Words.", ...told } }, undefined, new Headers()), false)
    .error;

describe("On /v1 a client is told OpenAI's", () => {
  test.each<[number, object]>([
    [400, { code: "context_length_exceeded", param: "messages", type: "invalid_request_error" }],
    [404, { code: "model_not_found", param: "model", type: "invalid_request_error" }],
    [409, { code: "conflict", param: null, type: "invalid_request_error" }],
    [422, { code: null, param: null, type: "invalid_request_error" }],
    [429, { code: "rate_limit_exceeded", param: null, type: "requests" }],
    [429, { code: "insufficient_quota", param: null, type: "insufficient_quota" }],
    [500, { code: null, param: null, type: "server_error" }],
    [503, { code: "overloaded", param: null, type: "server_error" }],
  ])("%i with its code, type and words", (status, told) => {
    expect(openaiAnswerOf(errorOf(status, told))).toEqual({ status, error: { message: "Words.", ...told } });
  });

  test("403 of a model as a 404", () => {
    expect(openaiAnswerOf(errorOf(403, { code: "model_not_found" }))).toMatchObject({ status: 404 });
  });

  test.each([401, 403])("%i of our own key never", (status) => {
    const error = errorOf(status, { code: "invalid_api_key" });
    expect([openaiAnswerOf(error), error.code, error.status]).toEqual([null, "upstream_auth", 503]);
  });

  test("error inside a stream in OpenAI's shape", () => {
    const write = openaiEvents(false);
    const told = { code: "rate_limit_exceeded", param: null, type: "tokens" };
    const data = write({ type: "error", error: errorOf(429, told) })?.replace("data: ", "");
    expect(JSON.parse(data ?? "")).toEqual({ error: { message: "Words.", ...told } });
    const own = write({ type: "error", error: new AppError("upstream_error", "Broke off.") });
    expect(own).toContain('"code":"upstream_error"');
  });
});
