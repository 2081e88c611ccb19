import { afterAll, describe, expect, it } from "vitest";
import { hostileRequests, sendRaw, watchProcess } from "../hostile.ts";
import { saying, simulate } from "./simulation.ts";

const openai = await simulate();
const watched = watchProcess();
afterAll(() => watched.stop());

const alive = async () => {
  expect((await openai.post(saying("hi"))).status).toBe(200);
  expect(watched.fatal).toEqual([]);
};
const authorization = `Authorization: Bearer ${openai.apiKey}\r\n`;

describe("a request that nobody should send", () => {
  const requests = [
    ...Object.entries(hostileRequests("/v1/models")),
    ...Object.entries(hostileRequests("/v1/chat/completions")).map(
      ([name, bytes]) => [`${name}, to the chat`, bytes] as const,
    ),
    ...Object.entries(hostileRequests("/_control/faults")).map(
      ([name, bytes]) => [`${name}, to the control`, bytes] as const,
    ),
  ];
  it.each(requests)("leaves the simulated OpenAI alive: %s", async (_, bytes) => {
    await sendRaw(
      openai.url,
      typeof bytes === "string" ? bytes.replace("Host: x\r\n", `Host: x\r\n${authorization}`) : bytes,
    );
    await alive();
  });

  it.each<[string, string]>([
    ["a body nested a hundred thousand deep", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    [
      "messages nested a hundred thousand deep",
      `{"model":"gpt-4o-mini","messages":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
    ],
    ["a strict schema nested twenty thousand deep", deepSchema(20_000, true)],
    ["a schema nested twenty thousand deep", deepSchema(20_000, false)],
    ["a strict schema nested two hundred deep", deepSchema(200, true)],
    [
      "__proto__ as an argument",
      '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}],"__proto__":{"n":1}}',
    ],
    [
      "constructor as an argument",
      '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}],"constructor":1}',
    ],
    [
      "numbers beyond all numbers",
      '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}],"max_tokens":1e999}',
    ],
  ])("refuses %s with 400", async (_, body) => {
    expect((await openai.post(body)).status).toBe(400);
    await alive();
  });

  it.each(["constructor", "__proto__", "toString"])("answers 404 for the model %s", async (model) => {
    expect((await openai.post(saying("hi", { model }))).status).toBe(404);
    await expect(openai.client.models.retrieve(model)).rejects.toMatchObject({ status: 404 });
  });

  it("refuses a fault that would eat the memory", async () => {
    expect((await openai.post(saying("[[fault:long bytes=900000000000]]"))).status).toBe(400);
    expect((await openai.post(saying("[[fault:constructor]]"))).status).toBe(400);
    await alive();
  });
});

function deepSchema(levels: number, strict: boolean): string {
  const schema = `${'{"type":"array","items":'.repeat(levels)}{"type":"string"}${"}".repeat(levels)}`;
  const root = `{"type":"object","properties":{"a":${schema}},"required":["a"],"additionalProperties":false}`;
  const format = `{"type":"json_schema","json_schema":{"name":"x","strict":${strict},"schema":${root}}}`;
  return `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}],"response_format":${format}}`;
}
