import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthorizer } from "../../../packages/local/src/gateway/authorizer.ts";
import { decide, parsePolicy } from "../../../packages/local/src/gateway/policy.ts";
import type { ProxyEvent } from "../../../packages/local/src/gateway/proxy-event.ts";
import { ACCOUNT_ID, REGION } from "../lambda/functions.ts";
import { ECHO, route, startApi } from "./api.ts";

/** Answers by what the key says; the context counts how often this environment was asked. */
const AUTHORIZER = `let asked = 0;
  export const handler = async (event: any) => {
    asked += 1;
    console.log(event);
    const key = event.headers.Authorization;
    if (key === "Unauthorized") throw new Error("Unauthorized");
    if (key === "broken") throw new Error("database is down");
    if (key === "no policy") return { principalId: "user" };
    if (key === "no principal") return { policyDocument: event.policyDocument };
    if (key === "nested") return allow("user", "*", { nested: { a: 1 } });
    if (key === "deny") return { ...allow("user", event.methodArn), policyDocument: statement("Deny", "*") };
    if (key === "this method") return allow("user", event.methodArn, { asked });
    if (key === "elsewhere") return allow("user", "arn:aws:execute-api:*:*:*/*/GET/elsewhere");
    return allow(key, event.methodArn.replace(/\\/[A-Z]+\\/.*$/, "/*"), { asked, admin: true, name: "Ada" });
  };
  const statement = (Effect: string, Resource: string) =>
    ({ Version: "2012-10-17", Statement: [{ Effect, Action: "execute-api:Invoke", Resource }] });
  const allow = (principalId: string, resource: string, context: unknown = {}) =>
    ({ principalId, policyDocument: statement("Allow", resource), context });`;

const ROUTES = [
  route("GET /closed", "echo", { authorized: true }),
  route("GET /also/{id}", "echo", { authorized: true }),
  route("GET /open", "echo"),
];
const identitySources = ["method.request.header.Authorization"];

describe("a REQUEST authorizer", () => {
  let api: Awaited<ReturnType<typeof startApi>>;
  beforeAll(async () => {
    api = await startApi(
      { echo: ECHO, authorizer: { source: AUTHORIZER } },
      { routes: ROUTES, authorizer: { function: "authorizer", identitySources, resultTtlSeconds: 300 } },
    );
  });
  afterAll(() => api.stop());

  const get = (path: string, authorization?: string) =>
    api.fetch(path, authorization === undefined ? {} : { headers: { Authorization: authorization } });
  const asked = () =>
    api.lambda.lines
      .filter(({ functionName, source }) => functionName === "authorizer" && source === "function")
      .map(({ line }) => JSON.parse(line))
      .filter(({ level }) => level === "INFO")
      .map(({ message }) => message);

  it("is asked with the request and the ARN of its method, without its body", async () => {
    await get("/also/res%201?full=1", "asks");
    const event = asked().at(-1);
    expect(event).toMatchObject({
      type: "REQUEST",
      resource: "/also/{id}",
      path: "/also/res%201",
      httpMethod: "GET",
      pathParameters: { id: "res 1" },
      queryStringParameters: { full: "1" },
      stageVariables: {},
    });
    expect(event.methodArn).toMatch(
      new RegExp(`^arn:aws:execute-api:${REGION}:${ACCOUNT_ID}:[0-9a-z]{10}/test/GET/also/res%201$`),
    );
    expect(event).not.toHaveProperty("body");
  });

  it("gives the function its principal and its context in strings", async () => {
    const { requestContext } = JSON.parse(await (await get("/closed", "ada")).text());
    expect(requestContext.authorizer).toMatchObject({ principalId: "ada", admin: "true", name: "Ada" });
    expect(requestContext.authorizer.asked).toMatch(/^\d+$/);
    expect(requestContext.authorizer.integrationLatency).toBeTypeOf("number");
  });

  it("is not asked for an open route", async () => {
    const before = asked().length;
    expect((await get("/open")).status).toBe(200);
    expect(asked().length).toBe(before);
  });

  it.each([undefined, ""])("is not asked when the identity source is %j: 401", async (authorization) => {
    const before = asked().length;
    const response = await get("/closed", authorization);
    expect(response.status).toBe(401);
    expect(response.headers.get("x-amzn-errortype")).toBe("UnauthorizedException");
    expect(await response.json()).toEqual({ message: "Unauthorized" });
    expect(asked().length).toBe(before);
  });

  it.each([
    ["Unauthorized", 401, { message: "Unauthorized" }],
    ["deny", 403, { Message: "User is not authorized to access this resource with an explicit deny" }],
    ["elsewhere", 403, { Message: "User is not authorized to access this resource" }],
    ["broken", 500, { message: null }],
    ["no policy", 500, { message: null }],
    ["no principal", 500, { message: null }],
    ["nested", 500, { message: null }],
  ])("that answers %j makes %i", async (authorization, status, body) => {
    const response = await get("/closed", authorization);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual(body);
  });

  it("is asked once for an identity, whatever the route", async () => {
    const before = asked().length;
    await get("/closed", "cached");
    expect((await get("/also/1", "cached")).status).toBe(200);
    await get("/closed", "another");
    expect(asked().length).toBe(before + 2);
  });

  it("has its cached policy checked against each method: one that names a single method closes the others", async () => {
    expect((await get("/closed", "this method")).status).toBe(200);
    expect((await get("/also/1", "this method")).status).toBe(403);
  });
});

it("is asked every time when results are not kept", async () => {
  const authorizer = { function: "authorizer", identitySources, resultTtlSeconds: 0 };
  const api = await startApi({ echo: ECHO, authorizer: { source: AUTHORIZER } }, { routes: ROUTES, authorizer });
  const counts = [];
  for (let i = 0; i < 2; i += 1) {
    const response = await api.fetch("/closed", { headers: { Authorization: "ada" } });
    counts.push(JSON.parse(await response.text()).requestContext.authorizer.asked);
  }
  await api.stop();
  expect(counts).toEqual(["1", "2"]);
});

it("is asked again when the kept result is older than its time to live", async () => {
  let nowMs = 0;
  let asked = 0;
  const authorize = createAuthorizer({
    spec: { function: "authorizer", identitySources, resultTtlSeconds: 60 },
    api: { apiId: "api", stageName: "test", accountId: ACCOUNT_ID, region: REGION },
    now: () => nowMs,
    lambda: {
      async invoke() {
        asked += 1;
        const Statement = { Effect: "Allow", Action: "*", Resource: "*" };
        return { ok: true, payload: JSON.stringify({ principalId: "ada", policyDocument: { Statement } }) };
      },
    },
  });
  const ask = () =>
    authorize({ headers: { authorization: "key" }, httpMethod: "GET", path: "/" } as unknown as ProxyEvent);
  await ask();
  nowMs = 59_999;
  await ask();
  expect(asked).toBe(1);
  nowMs = 60_000;
  await ask();
  expect(asked).toBe(2);
});

describe("a policy", () => {
  const arn = "arn:aws:execute-api:eu-central-1:123456789012:api/test/GET/results/res_1";
  const decided = (...statements: [string, string, string | string[]][]) =>
    decide(
      parsePolicy({ Statement: statements.map(([Effect, Action, Resource]) => ({ Effect, Action, Resource })) }),
      arn,
    );

  it.each([
    ["its own ARN", arn],
    ["a wildcard over slashes", "arn:aws:execute-api:*:*:api/test/GET/*"],
    ["one of a list", ["arn:aws:execute-api:::none", arn]],
    ["a single character", arn.replace("res_1", "res_?")],
  ])("allows by %s", (_what, resource) => {
    expect(decided(["Allow", "execute-api:Invoke", resource])).toBe("allow");
  });

  it("takes dots and brackets in an ARN for what they are", () => {
    expect(decided(["Allow", "execute-api:Invoke", arn.replace("res_1", "res.1")])).toBe("deny");
  });

  it("denies what no statement allows, another action included", () => {
    expect(decided(["Allow", "execute-api:Invoke", `${arn}/x`])).toBe("deny");
    expect(decided(["Allow", "execute-api:ManageConnections", "*"])).toBe("deny");
  });

  it("lets a Deny win over an Allow", () => {
    expect(decided(["Allow", "execute-api:*", "*"], ["Deny", "execute-api:Invoke", arn])).toBe("explicit deny");
  });

  it.each([
    [{}, "policyDocument has no Statement"],
    [{ Statement: [{ Effect: "Maybe" }] }, "Effect is neither Allow nor Deny"],
    [{ Statement: [{ Effect: "Allow", Action: "*", Resource: [] }] }, "no Resource"],
    [{ Statement: [{ Effect: "Allow", Action: "*", Resource: "*", Condition: {} }] }, "Condition"],
  ])("is refused when it is %j", (document, message) => {
    expect(() => parsePolicy(document)).toThrow(message);
  });
});
