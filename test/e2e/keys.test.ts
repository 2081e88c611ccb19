import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import { readManifest } from "@tollgate/local/manifest";
import { describe, expect, inject, test } from "vitest";
import {
  awsClients,
  type ErrorBody,
  newCaller,
  picture,
  type Result,
  type Usage,
  unique,
  userMessage,
} from "./client.ts";
import { runCommand, runInSstShell } from "./command.ts";

const stage = inject("stage");
const newOwner = () => `t-${randomUUID()}`;

async function create(...args: string[]) {
  const { status, stdout, stderr } = await runCommand(stage, "keys", "create", ...args);
  expect([status, stderr]).toEqual([0, expect.stringContaining("it is not shown again")]);
  return { apiKey: stdout, keyId: /key_[0-9A-Z]{26}/.exec(stderr)?.[0] ?? "" };
}

const ask = (authorization: string) => fetch(`${stage.api}/results`, { headers: { authorization } });

describe("npm run keys -- create", () => {
  test("prints a key that works at once, alone on stdout", async () => {
    const { apiKey } = await create("--owner", newOwner());
    expect(apiKey).toMatch(/^tg-[A-Za-z0-9_-]{43}$/);
    expect((await ask(`Bearer ${apiKey}`)).status).toBe(200);
  });

  test("leaves no trace of the key in the table but its hash", async () => {
    const { apiKey, keyId } = await create("--owner", newOwner());
    const { dynamodb } = awsClients(stage);
    const rows: Record<string, unknown>[] = [];
    for (let start: Record<string, unknown> | undefined, first = true; first || start; first = false) {
      const page = await dynamodb.send(new ScanCommand({ TableName: stage.table, ExclusiveStartKey: start }));
      rows.push(...(page.Items ?? []));
      start = page.LastEvaluatedKey;
    }
    const table = JSON.stringify(rows);
    expect(table).toContain(keyId);
    expect(table).not.toContain(apiKey.slice("tg-".length));
  });

  test.each([
    [[], "Give --owner"],
    [["--owner", "Acme Inc"], "owner: Use 1 to 63 of a-z"],
    [["--owner", "acme", "--budget-usd", "fifty"], "--budget-usd fifty: Give dollars a month, such as 50 or 0.25."],
    [["--owner", "acme", "--models", "gpt-4o,,gpt-4o-mini"], "separated by commas: gpt-4o-mini,gpt-4o"],
    [["--owner", "acme", "--rpm", "0"], "--rpm 0: Give a whole number"],
    [["--owner", "acme", "--budget", "5"], "Unknown option '--budget'"],
    [["acme"], 'What is "acme"?'],
  ])("with %j ends with status 1 and tells what would be right", async (args, told) => {
    const { status, stdout, stderr } = await runCommand(stage, "keys", "create", ...args);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(told);
    expect(stderr).not.toContain("    at ");
  });
});

describe("npm run keys -- list", () => {
  test("shows each key's limits, and nothing that would let it be used", async () => {
    const owner = newOwner();
    const { apiKey, keyId } = await create(
      ...["--owner", owner, "--budget-usd", "50", "--models", "gpt-4o-mini, o3", "--rpm", "60"],
    );
    const { stdout } = await runCommand(stage, "keys", "list");
    const row = stdout.split("\n").find((line) => line.includes(keyId));
    expect(row?.split("│").map((cell) => cell.trim())).toEqual(
      expect.arrayContaining([keyId, owner, "50.000000000", "0.000000000", "gpt-4o-mini, o3", "60"]),
    );
    expect(stdout).not.toContain("'");
    expect(stdout).not.toContain(apiKey.slice("tg-".length));
  });
});

describe("npm run keys -- revoke", () => {
  test("a key that was never used is refused at once", async () => {
    const { apiKey, keyId } = await create("--owner", newOwner());
    const { status, stdout } = await runCommand(stage, "keys", "revoke", keyId);
    expect([status, stdout]).toEqual([0, expect.stringContaining(`${keyId} of`)]);
    expect((await ask(`Bearer ${apiKey}`)).status).toBe(401);
  });

  test("a key in use is refused as soon as API Gateway asks for it again, which is within a minute", async () => {
    const { apiKey, keyId } = await create("--owner", newOwner());
    expect((await ask(`Bearer ${apiKey}`)).status).toBe(200);
    await runCommand(stage, "keys", "revoke", keyId);
    // API Gateway remembers by the header's exact text: written differently, it has to ask the authorizer.
    expect((await ask(`bearer ${apiKey}`)).status).toBe(401);
    expect(readManifest(resolve(import.meta.dirname, "../..")).api.authorizer?.resultTtlSeconds).toBeLessThanOrEqual(
      60,
    );
  });

  test("of an unknown key ends with status 1", async () => {
    const { status, stderr } = await runCommand(stage, "keys", "revoke", "key_nope");
    expect([status, stderr]).toEqual([1, 'No key has the id "key_nope".']);
  });
});

test("in sst shell the commands work on the stage that it names", async () => {
  const owner = newOwner();
  const created = await runInSstShell(stage, "keys", "create", "--owner", owner);
  expect((await ask(`Bearer ${created.stdout}`)).status).toBe(200);
  expect((await runInSstShell(stage, "keys", "list")).stdout).toContain(owner);
});

describe("an owner", () => {
  test("sees neither the results, the uploads nor the usage of another", async () => {
    const [mine, other] = [await newCaller(stage), await newCaller(stage)];
    const chat = (await mine.send<Result>("POST", "/chat", { messages: userMessage(unique()) })).body;
    const upload = (await mine.send<{ id: string }>("POST", "/uploads", { content_type: "image/png" })).body;
    await mine.putImage(upload.id, await picture("png", 61, 47));
    await mine.finished(upload.id);

    for (const id of [chat.id, upload.id]) {
      expect((await other.send("GET", `/results/${id}`)).status).toBe(404);
      expect((await other.send("DELETE", `/results/${id}`)).status).toBe(404);
    }
    const stolen = await other.send<ErrorBody>("POST", "/vision", { images: [{ upload: upload.id }] });
    expect([stolen.status, stolen.body.error.code]).toEqual([404, "not_found"]);
    expect(await other.results()).toEqual([]);
    expect((await other.usage()).requests).toBe(0);
    expect((await mine.usage()).requests).toBe(2);
  });

  test("shares results and usage among its keys", async () => {
    const owner = newOwner();
    const [one, two] = [await create("--owner", owner), await create("--owner", owner)];
    const chat = await fetch(`${stage.api}/chat`, {
      method: "POST",
      headers: { authorization: `Bearer ${one.apiKey}` },
      body: JSON.stringify({ messages: userMessage(unique()) }),
    });
    const { id } = (await chat.json()) as Result;
    const headers = { authorization: `Bearer ${two.apiKey}` };
    expect((await fetch(`${stage.api}/results/${id}`, { headers })).status).toBe(200);
    const usage = (await (await fetch(`${stage.api}/usage`, { headers })).json()) as Usage;
    expect(usage.total.requests).toBe(1);
  });
});

describe("a key with models", () => {
  const chat = (model: string | undefined) => ({ model, messages: userMessage(unique()) });

  test("may use them and their dated snapshots", async () => {
    const caller = await newCaller(stage, { models: ["gpt-4o-mini", "gpt-4o-2024-08-06", "gpt-6-luna"] });
    for (const model of ["gpt-4o-mini", "gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06", undefined])
      expect((await caller.send("POST", "/chat", chat(model))).status).toBe(200);
  });

  test.each([
    ["/chat", chat("gpt-4o")],
    ["/chat", chat("gpt-4o-mini-audio")],
    ["/vision", { model: "gpt-4o", images: [{ url: "http://127.0.0.1:9/cat.png" }] }],
    ["/uploads", { model: "gpt-4o", content_type: "image/png" }],
  ])("gets 403 from %s for another, naming its own, and nothing is stored", async (route, request) => {
    const caller = await newCaller(stage, { models: ["gpt-4o-mini", "o3"] });
    const { status, body } = await caller.send<ErrorBody>("POST", route, request);
    expect(status).toBe(403);
    expect(body.error).toMatchObject({
      code: "model_not_allowed",
      param: "model",
      message: expect.stringContaining("gpt-4o-mini, o3"),
    });
    expect(await caller.results()).toEqual([]);
  });

  test("gets 403 for the default model too, when it is not among them", async () => {
    const caller = await newCaller(stage, { models: ["o3"] });
    expect((await caller.send("POST", "/chat", chat(undefined))).status).toBe(403);
    expect((await caller.send("POST", "/uploads", { content_type: "image/png" })).status).toBe(403);
  });
});

test("a model that the key may not use is refused at once, also when the work is put off", async () => {
  const caller = await newCaller(stage, { models: ["o3"], rpm: 1 });
  const request = { model: "gpt-4o", messages: userMessage(unique()) };
  const later = { prefer: "respond-async" };
  expect((await caller.send("POST", "/chat", request, later)).status).toBe(403);
  expect((await caller.send("POST", "/v1/chat/completions", request)).status).toBe(403);
  expect((await caller.send("POST", "/chat", { ...request, model: "o3" }, later)).status).toBe(202);
  expect((await caller.send("POST", "/chat", { ...request, model: "o3" }, later)).status).toBe(429);
});

describe("a key with a rate", () => {
  const hello = () => ({ messages: userMessage(unique()) });

  test("may make so many requests a minute, and one more is 429 with Retry-After", async () => {
    const caller = await newCaller(stage, { rpm: 3 });
    for (let i = 0; i < 3; i++) expect((await caller.send("POST", "/chat", hello())).status).toBe(200);
    const { status, headers, body } = await caller.send<ErrorBody>("POST", "/chat", hello());
    expect([status, body.error.code]).toEqual([429, "rate_limited"]);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect(Number(headers.get("retry-after"))).toBeLessThanOrEqual(60);
    expect((await caller.usage()).requests).toBe(3);
  });

  test("counts requests to every route that asks OpenAI", async () => {
    const caller = await newCaller(stage, { rpm: 2 });
    const image = { url: `data:image/png;base64,${(await picture("png", 21, 22)).toString("base64")}` };
    expect((await caller.send("POST", "/vision", { images: [image], prompt: unique() })).status).toBe(200);
    const completion = { model: "gpt-6-luna", ...hello() };
    expect((await caller.send("POST", "/v1/chat/completions", completion)).status).toBe(200);
    expect((await caller.send("POST", "/vision", { images: [image], prompt: unique() })).status).toBe(429);
    expect((await caller.send("POST", "/v1/chat/completions", completion)).status).toBe(429);
  });

  test("lets exactly so many of many at once through", async () => {
    const caller = await newCaller(stage, { rpm: 5 });
    await caller.send("GET", "/schemas");
    const answers = await Promise.all(Array.from({ length: 20 }, () => caller.send("POST", "/chat", hello())));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(15);
  });

  test("counts announced uploads, and nothing that asks nothing of OpenAI", async () => {
    const caller = await newCaller(stage, { rpm: 1 });
    expect((await caller.send("POST", "/uploads", { content_type: "image/png" })).status).toBe(201);
    expect((await caller.send("POST", "/chat", hello())).status).toBe(429);
    for (const route of ["/results", "/usage", "/schemas"]) expect((await caller.send("GET", route)).status).toBe(200);
  });
});
