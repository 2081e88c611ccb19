import { describe, expect, it } from "vitest";
import { billingOf } from "../../../packages/core/src/usage/billing.ts";

const part = (breakpoint?: object | null) => ({ type: "text", text: "Hi", prompt_cache_breakpoint: breakpoint });
const request = (parts: unknown[], options?: object) => ({
  messages: [{ role: "user", content: parts }],
  ...(options && { prompt_cache_options: options }),
});
const explicit = { mode: "explicit" };
const hours = { mode: "explicit", ttl: "12h" };
const minutes = { mode: "explicit", ttl: "30m" };

describe("how long what a request writes to the prompt cache stays there", () => {
  it.each([
    ["without breakpoints, half an hour", request([part()]), "30m"],
    ["with breakpoints that name nothing, half an hour", request([part({ mode: "explicit" })], explicit), "30m"],
    ["with breakpoints of 12 hours alone, as long", request([part(hours), part(hours)], explicit), "12h"],
    ["with breakpoints of both lifetimes, not known", request([part(hours), part(minutes)], explicit), "mixed"],
    ["with OpenAI's own breakpoint beside one of 12 hours, not known", request([part(hours)]), "mixed"],
    [
      "by a default for all breakpoints, as it says",
      request([part(explicit)], { mode: "explicit", ttl: "12h" }),
      "12h",
    ],
    ["by a lifetime that nobody here knows, not known", request([part({ ttl: "7d" })], explicit), "mixed"],
  ] as const)("%s", (_, params, cacheLifetime) => expect(billingOf(params)).toMatchObject({ cacheLifetime }));

  it.each([
    [{ messages: "Hi" }],
    [{ messages: [null, 7, { content: null }, { content: [null, "x", { prompt_cache_breakpoint: "12h" }] }] }],
    [{ messages: [], prompt_cache_options: null }],
  ])("is half an hour for what is no breakpoint: %j", (params) =>
    expect(billingOf(params)).toEqual({ cacheLifetime: "30m", searchesWeb: false }),
  );
});

describe("a tool that is billed by the call", () => {
  it("is there when the request names its options, were they empty", () => {
    expect(billingOf({ web_search_options: {} }).searchesWeb).toBe(true);
    expect(billingOf({ web_search_options: null }).searchesWeb).toBe(false);
  });
});
