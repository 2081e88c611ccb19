import { requestIdentity } from "@tollgate/core/completion/caller";
import { bodyOf } from "@tollgate/core/openai/body";
import {
  type OpenAIRequest,
  removeMember,
  requestAsWritten,
  setMember,
  withMembersAsWritten,
} from "@tollgate/core/openai/verbatim";
import { describe, expect, test } from "vitest";
import { unlimited } from "../../../packages/core/src/key/limits.ts";

const messages = '[{"role":"user","content":"Hi"}]';
const text = `{ "model": "gpt-4o", "messages": ${messages}, "max_tokens": 10, "tools": [ {"2":1.0,"1":12345678901234567890} ] }`;
const params = JSON.parse(text);

describe.each<[string, OpenAIRequest]>([
  ["a request to the byte", requestAsWritten(params, text)],
  ["a request with members as they were written", withMembersAsWritten({ params }, ["tools"], text)],
  ["a request that is written from its parameters", { params }],
])("%s", (_, request) => {
  const sent = (of: OpenAIRequest) => JSON.parse(String(bodyOf(of)));

  test("has another value for a member in both of its forms, there already or not", () => {
    for (const name of ["max_tokens", "max_completion_tokens", "tools"]) {
      const changed = setMember(request, name, 7);
      expect(changed.params).toMatchObject({ model: "gpt-4o", [name]: 7 });
      expect(sent(changed)).toEqual({ ...params, [name]: 7 });
    }
  });

  test("loses a member in both of its forms", () => {
    for (const name of ["max_tokens", "tools", "none"]) {
      const changed = removeMember(request, name);
      expect(changed.params).not.toHaveProperty(name);
      const { [name]: _gone, ...others } = params;
      expect(sent(changed)).toEqual(others);
    }
  });

  test("is itself not changed by that", () => {
    setMember(request, "n", 2);
    removeMember(request, "tools");
    expect(sent(request)).toEqual(params);
  });
});

test("what is sent to the digit counts to the digit, wherever its cost is bounded", () => {
  const long = "9".repeat(10_000);
  const written = `{"model": "gpt-4o", "messages": ${messages}, "tools": [${long}]}`;
  for (const request of [
    requestAsWritten(JSON.parse(written), written),
    withMembersAsWritten({ params: JSON.parse(written) }, ["tools"], written),
  ]) {
    expect(JSON.stringify(request.params.tools)).toBe(`[${long}]`);
  }
});

describe("the hash of a request with an Idempotency-Key", () => {
  const caller = { owner: "acme", key: { ...unlimited, keyId: "k" }, idempotencyKey: "key", deadlineMs: 0 };
  const hashOf = (body: string, written?: string) =>
    requestIdentity({ ...caller, body: written }, "chat", JSON.parse(body)).requestHash;

  test("is the one that results were stored under before, where parsing loses nothing", () => {
    const body = `{ "messages": ${messages}, "temperature": 1.0, "tools": [{"b": 1, "a": "\\u00e9"}] }`;
    expect(hashOf(body, body)).toBe(hashOf(body));
  });

  test.each([
    ["a digit", '{"a": 9007199254740993}', '{"a": 9007199254740992}'],
    ["the order of names that JavaScript sorts", '{"2": 0, "1": 0}', '{"1": 0, "2": 0}'],
    ["the order of other names", '{"b": 0, "a": 0}', '{"a": 0, "b": 0}'],
  ])("is another for %s, and the same for the same bytes", (_, one, other) => {
    expect(hashOf(one, one)).toBe(hashOf(one, one));
    expect(hashOf(one, one)).not.toBe(hashOf(other, other));
  });
});
