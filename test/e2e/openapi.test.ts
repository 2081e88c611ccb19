import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { bodySchemaOf, document, operationOf, type Parameter, validatorOf } from "../openapi/document.ts";
import { mutationsOf, valuesOf } from "../openapi/instances.ts";
import { limitsOf } from "../openapi/limits.ts";
import { toText } from "../openapi/parameters.ts";
import {
  type Answer,
  type ErrorBody,
  newCaller,
  picture,
  type Result,
  type TestCaller,
  userMessage,
} from "./client.ts";

const stage = inject("stage");
let caller: TestCaller;
beforeAll(async () => {
  caller = await newCaller(stage);
});

/** API Gateway takes 100 requests a second, and the tests after these need some too. */
const paceMs = 12;
const send: TestCaller["send"] = async (...request) => {
  await pause(paceMs);
  return caller.send(...request);
};

/** Requests of a property; a failure prints its seed. */
const numRuns = 60;

test("GET /openapi.json answers without a key, with the document made from the schemas", async () => {
  const response = await fetch(`${stage.api}/openapi.json`);

  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(response.headers.get("x-request-id")).toBeTruthy();
  expect(await response.json()).toEqual(document);
});

/** Holds an answer against the document: its status, its headers and its body. */
function expectDocumented(route: string, { status, headers, body }: Answer<unknown>) {
  const response = operationOf(route).responses[String(status)];
  expect(
    response,
    `${route} answers ${status}, which the document does not have: ${JSON.stringify(body)}`,
  ).toBeDefined();
  const type = headers.get("content-type")?.split(";")[0] ?? "";
  const schema = response?.content?.[type]?.schema;
  expect(schema, `${route} ${status} is ${type}, which the document does not have`).toBeDefined();
  const fits = validatorOf(schema ?? {});
  expect(fits(body), JSON.stringify({ errors: fits.errors, body })).toBe(true);
  for (const [name, { required }] of Object.entries(response?.headers ?? {}))
    if (required) expect(headers.get(name), `${route} ${status} has no ${name}`).toBeTruthy();
}

const codeOf = ({ body }: Answer<unknown>) => (body as Partial<ErrorBody> | null)?.error?.code;
const paramOf = ({ body }: Answer<unknown>) => (body as Partial<ErrorBody> | null)?.error?.param;

describe.each(["/chat", "/vision", "/uploads"])("POST %s", (path) => {
  const route = `POST ${path}`;
  const schema = bodySchemaOf(route);
  const fits = validatorOf(schema);
  const bodies = valuesOf(schema);

  test("never answers a body that the document allows with invalid_request", async () => {
    await fc.assert(
      fc.asyncProperty(
        bodies.filter((body) => fits(body)),
        async (body) => {
          const answer = await send("POST", path, body);
          expectDocumented(route, answer);
          expect(answer.body).not.toHaveProperty("error.code", "invalid_request");
          expect(answer.status).not.toBe(500);
        },
      ),
      { numRuns },
    );
  });

  test("always answers a body that the document forbids with invalid_request, naming the field", async () => {
    const forbidden = bodies.chain(mutationsOf).filter((body) => !fits(body));
    await fc.assert(
      fc.asyncProperty(forbidden, async (body) => {
        const answer = await send("POST", path, body);
        expectDocumented(route, answer);
        expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 400, code: "invalid_request" });
        if (typeof body === "object" && body !== null && !Array.isArray(body)) expect(paramOf(answer)).toBeTruthy();
      }),
      { numRuns },
    );
  });
});

describe.each(["/chat", "/vision", "/uploads"])(
  "POST %s, with every limit of its body that the document states,",
  (path) => {
    const limits = limitsOf(bodySchemaOf(`POST ${path}`));

    test("takes what is at the limit", async () => {
      for (const { name, value } of limits.filter(({ past }) => !past)) {
        const answer = await send("POST", path, value);
        expectDocumented(`POST ${path}`, answer);
        expect({ name, refused: codeOf(answer) === "invalid_request" }).toEqual({ name, refused: false });
        expect(answer.status, name).not.toBe(500);
      }
    });

    test("refuses what is one past it", async () => {
      for (const { name, value } of limits.filter(({ past }) => past)) {
        const answer = await send("POST", path, value);
        expect({ name, status: answer.status, code: codeOf(answer) }).toEqual({
          name,
          status: 400,
          code: "invalid_request",
        });
        expect(paramOf(answer), name).toBeTruthy();
      }
    });
  },
);

describe.each(["/results", "/usage"])("GET %s", (path) => {
  const route = `GET ${path}`;
  const parameters = operationOf(route).parameters ?? [];

  /** Parameters with their texts, and whether the document allows all of them. */
  const queries = fc
    .subarray(parameters)
    .chain((chosen) => fc.tuple(...chosen.map((parameter) => sentParameter(parameter))))
    .map((sent) => ({
      query: new URLSearchParams(
        sent.flatMap(({ name, text }) => (text === null ? [] : [[name, text] as [string, string]])),
      ),
      allowed: sent.every(({ text, allowed }) => text === null || allowed),
    }));

  test("answers a query with invalid_request exactly when the document forbids it", async () => {
    await fc.assert(
      fc.asyncProperty(queries, async ({ query, allowed }) => {
        const answer = await send("GET", `${path}?${query}`);
        expectDocumented(route, answer);
        expect({ query: String(query), refused: codeOf(answer) === "invalid_request" }).toEqual({
          query: String(query),
          refused: !allowed,
        });
        if (!allowed) expect(paramOf(answer)).toBeTruthy();
        expect(answer.status).not.toBe(500);
      }),
      { numRuns },
    );
  });

  test("refuses a parameter that the document does not have", async () => {
    const answer = await send<ErrorBody>("GET", `${path}?surplus=1`);
    expect(answer).toMatchObject({ status: 400, body: { error: { code: "invalid_request", param: "surplus" } } });
  });
});

function sentParameter(parameter: Parameter) {
  const fits = validatorOf(parameter.schema);
  const values = valuesOf(parameter.schema);
  return fc
    .oneof({ weight: 4, arbitrary: values }, { weight: 1, arbitrary: values.chain(mutationsOf) })
    .map((value) => ({ name: parameter.name, text: toText(parameter, value), allowed: fits(value) }));
}

test("an Idempotency-Key is refused exactly when the document forbids it", async () => {
  const parameter = operationOf("POST /chat").parameters?.find(({ name }) => name === "Idempotency-Key");
  const schema = parameter?.schema ?? {};
  const fits = validatorOf(schema);
  // What a client can send at all: Latin-1 without control characters, and without spaces at its ends.
  const keys = fc.oneof(
    valuesOf(schema).map((key) => `${randomUUID().slice(0, 8)}${String(key)}`),
    fc.stringMatching(/^[!-~\xa1-\xff]([ -~\xa1-\xff]{0,300}[!-~\xa1-\xff])?$/),
  );
  await fc.assert(
    fc.asyncProperty(keys, async (key) => {
      const answer = await send("POST", "/chat", { messages: userMessage("Hello") }, { "idempotency-key": key });
      expectDocumented("POST /chat", answer);
      expect({ key, refused: codeOf(answer) === "invalid_request" }).toEqual({ key, refused: !fits(key) });
    }),
    { numRuns: numRuns / 2 },
  );
});

describe("every response is as the document says:", () => {
  const documented = async <T>(
    route: string,
    path: string,
    ...rest: [body?: unknown, headers?: Record<string, string>]
  ) => {
    const [method = ""] = route.split(" ");
    const answer = await caller.send<T>(method, path, ...rest);
    expectDocumented(route, answer);
    return answer;
  };

  test.each<[string, unknown]>([
    ["a text", { messages: userMessage("Hello") }],
    ["a registered output", { messages: userMessage("I love it"), schema: "sentiment" }],
    ["several choices with logprobs", { messages: userMessage("Hello"), n: 2, logprobs: true, top_logprobs: 1 }],
    ["a refusal", { messages: userMessage("[[fault:refusal]]") }],
    ["an answer cut off", { messages: userMessage("Tell me much"), max_tokens: 1 }],
    ["a rate limit", { messages: userMessage("[[fault:429 retry_after=1]] always") }],
    ["an unknown model", { messages: userMessage("Hello"), model: "gpt-99" }],
    ["a parameter that the model does not take", { messages: userMessage("Hello"), model: "o3", temperature: 0.5 }],
  ])("%s", async (_, body) => {
    await documented("POST /chat", "/chat", body);
  });

  test("null for a parameter of OpenAI's is as if it were left out", async () => {
    const { properties = {} } = bodySchemaOf("POST /chat");
    const nullable = Object.keys(properties).filter((name) => validatorOf(properties[name] ?? {})(null));
    expect(nullable).toContain("tools");
    const nulls = Object.fromEntries(nullable.map((name) => [name, null]));
    const answer = await documented("POST /chat", "/chat", { ...nulls, messages: userMessage("Hello") });
    expect(answer.status).toBe(200);
  });

  test("an upload, its result, the lists, the usage and the deletion", async () => {
    const upload = await documented<{ id: string }>("POST /uploads", "/uploads", { content_type: "image/png" });
    expect(upload.status).toBe(201);
    await documented("GET /results/{id}", `/results/${upload.body.id}`);
    const data = (await picture("png")).toString("base64");
    const seen = await documented<Result>("POST /vision", "/vision", { images: [{ data }], schema: "image_sentiment" });
    expect(seen.body.status).toBe("succeeded");
    await documented("GET /results/{id}", `/results/${seen.body.id}`);
    const list = await documented<{ next_cursor: string }>("GET /results", "/results?limit=1");
    await documented("GET /results", `/results?limit=1&cursor=${list.body.next_cursor}`);
    await documented("GET /usage", "/usage");
    await documented("GET /usage", "/usage?group_by=");
    await documented("GET /usage", "/usage", undefined, { accept: "text/csv" });
    expect((await documented("DELETE /results/{id}", `/results/${seen.body.id}`)).status).toBe(200);
    expect((await documented("DELETE /results/{id}", `/results/${seen.body.id}`)).status).toBe(404);
    await documented("GET /schemas", "/schemas");
    await documented("GET /schemas/{name}", "/schemas/receipt");
    expect((await documented("GET /schemas/{name}", "/schemas/none")).status).toBe(404);
    await documented("GET /health", "/health");
  });

  test("a cursor together with another range, and a range that ends before it begins, are invalid_range", async () => {
    await caller.send("POST", "/chat", { messages: userMessage("Hello") });
    await caller.send("POST", "/chat", { messages: userMessage("Hello") });
    const { body } = await caller.send<{ next_cursor: string }>("GET", "/results?limit=1");
    for (const query of [`cursor=${body.next_cursor}&to=2020-01-01`, `cursor=${body.next_cursor}&from=2100-01-01`]) {
      const answer = await documented("GET /results", `/results?${query}`);
      expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 400, code: "invalid_range" });
    }
    for (const route of ["/results", "/usage"]) {
      const answer = await documented(`GET ${route}`, `${route}?from=2026-02-02&to=2026-01-01`);
      expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 400, code: "invalid_range" });
    }
  });
});
