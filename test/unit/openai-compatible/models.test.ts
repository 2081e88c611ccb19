import type { Upstream } from "@tollgate/core/openai/client";
import { listModels, modelListFor, modelWithEnd, readModel } from "@tollgate/core/openai-compatible/models";
import { describe, expect, test } from "vitest";

const entry = (id: string, more: object = {}) => ({ id, object: "model", created: 1, owned_by: "openai", ...more });
const list = (...data: unknown[]) => JSON.stringify({ object: "list", data });
const shown = (allowed: string[] | null, text: string) => JSON.parse(modelListFor(allowed, text));
const idsOf = (allowed: string[], ...ids: string[]) =>
  shown(allowed, list(...ids.map((id) => entry(id)))).data.map(({ id }: { id: string }) => id);

describe("GET /v1/models of a key with models", () => {
  test.each<[string, string[], string[]]>([
    ["a family and its dated snapshots", ["gpt-4o-mini"], ["gpt-4o-mini", "gpt-4o-mini-2024-07-18"]],
    ["a snapshot alone", ["gpt-4o-mini-2024-07-18"], ["gpt-4o-mini-2024-07-18"]],
    ["a model that nobody here knows", ["llama3.2"], ["llama3.2"]],
    ["nothing when OpenAI has none of them", ["gpt-99"], []],
  ])("lists %s", (_, allowed, ids) => {
    expect(idsOf(allowed, "gpt-4o", "gpt-4o-mini", "gpt-4o-mini-2024-07-18", "gpt-6-luna", "llama3.2")).toEqual(ids);
  });

  test("names no other model in other members, nor in entries without an id", () => {
    const text = JSON.stringify({
      object: "list",
      data: [entry("o3"), entry("gpt-6-luna"), { name: "o3" }, "o3", null],
      models: [{ name: "o3" }],
      last_id: "o3",
    });
    expect(shown(["gpt-6-luna"], text)).toEqual({
      object: "list",
      data: [entry("gpt-6-luna", { shutdown_date: null })],
    });
  });

  test.each(["", "<html>", "[]", "null", '{"data":{}}'])("fails where OpenAI's list is %j", (text) => {
    expect(() => modelListFor(["o3"], text)).toThrow(expect.objectContaining({ code: "upstream_error" }));
  });
});

describe("shutdown_date", () => {
  test.each<[string, string | null]>([
    ["gpt-4o-mini", "2027-01-14"],
    ["gpt-4o-mini-2024-07-18", "2027-01-14"],
    ["ft:gpt-4o-mini-2024-07-18:acme::x", "2027-01-14"],
    ["o3", "2026-12-11"],
    ["gpt-6-luna", null],
  ])("of %s is %j where OpenAI leaves it out", (id, shutdown_date) => {
    expect(shown(null, list(entry(id))).data).toEqual([entry(id, { shutdown_date })]);
    expect(JSON.parse(modelWithEnd(JSON.stringify(entry(id))))).toEqual(entry(id, { shutdown_date }));
  });

  test.each(["2030-01-01", null])("that OpenAI gives as %j stays", (shutdown_date) => {
    const given = entry("gpt-4o-mini", { shutdown_date });
    expect(shown(null, list(given, entry("o3"))).data[0]).toEqual(given);
    expect(shown(["gpt-4o-mini"], list(given)).data).toEqual([given]);
  });

  test("leaves what else OpenAI says, to the digit", () => {
    const text = '{"object":"list","data":[{"id":"o3","of_tomorrow":12345678901234567890}],"has_more":false}';
    expect(modelListFor(null, text)).toBe(
      '{"object":"list","data":[{"id":"o3","of_tomorrow":12345678901234567890,"shutdown_date":"2026-12-11"}],"has_more":false}',
    );
  });

  test.each([
    '{ "object": "list",\n "data": [ { "id": "o3", "shutdown_date": null }, { "id": "llama3.2" }, {}, 1 ] }\n',
    '{ "data": null }',
    "no JSON",
  ])("is no reason to change a byte of %j", (text) => expect(modelListFor(null, text)).toBe(text));

  test.each(['{ "id": "o3", "shutdown_date": "2026-12-11" }\n', '{ "id": "llama3.2" }', "[ ]", "no JSON"])(
    "is no reason to change a byte of the model %j",
    (text) => expect(modelWithEnd(text)).toBe(text),
  );
});

describe("GET /v1/models/{id}", () => {
  const asked: (string | null)[] = [];
  const models: Upstream["models"] = async (id) => {
    asked.push(id);
    return { text: id === null ? list(entry("o3"), entry("gpt-6-luna")) : JSON.stringify(entry(id)) };
  };
  const upstream = { models } as Upstream;
  const caller = (models: string[] | null) => ({ key: { models }, deadlineMs: 0 });

  test("answers model_not_found for a model that the key may not use, and does not ask OpenAI", async () => {
    asked.length = 0;
    await expect(readModel(upstream, "o3", caller(["gpt-6-luna"]))).rejects.toMatchObject({
      code: "model_not_found",
      status: 404,
      type: "invalid_request_error",
      param: "model",
      message: "The model `o3` does not exist or you do not have access to it.",
    });
    expect(asked).toEqual([]);
  });

  test("answers with a model that the key may use, as the list does", async () => {
    const whole = entry("gpt-6-luna", { shutdown_date: null });
    for (const models of [null, ["gpt-6-luna"]])
      expect(JSON.parse(await readModel(upstream, "gpt-6-luna", caller(models)))).toEqual(whole);
    expect(JSON.parse(await listModels(upstream, caller(["gpt-6-luna"]))).data).toEqual([whole]);
  });
});
