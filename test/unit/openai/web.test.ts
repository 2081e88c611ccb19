import { Headers } from "@tollgate/core/openai/web";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const name = fc.constantFrom("Authorization", "authorization", "X-Request-Id", "x-request-id", "Accept", "retry-after");
const value = fc.stringMatching(/^[a-z0-9]{0,8}$/);
const step = fc.oneof(
  fc.record({ call: fc.constantFrom("append" as const, "set" as const), name, value }),
  fc.record({ call: fc.constant("delete" as const), name, value }),
);

describe("headers for OpenAI's client", () => {
  test("say what Node's own say, whatever was done to them", () => {
    const pairs = fc.array(fc.tuple(name, value), { maxLength: 4 });
    fc.assert(
      fc.property(pairs, fc.array(step, { maxLength: 8 }), name, (pairs, steps, asked) => {
        const ours = new Headers(pairs);
        const nodes = new globalThis.Headers(pairs);
        for (const { call, name, value } of steps) {
          ours[call](name, value);
          nodes[call](name, value);
        }
        expect([...ours]).toEqual([...nodes]);
        expect([...ours.entries()]).toEqual([...nodes.entries()]);
        expect([ours.get(asked), ours.has(asked)]).toEqual([nodes.get(asked), nodes.has(asked)]);
      }),
    );
  });

  test("are made of an object as well, and of others", () => {
    const headers = new Headers({ Accept: "application/json" });
    expect([...new Headers(headers)]).toEqual([["accept", "application/json"]]);
    expect([...new globalThis.Headers([...headers])]).toEqual([["accept", "application/json"]]);
  });
});
