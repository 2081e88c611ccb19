import { routes as contract } from "@tollgate/functions/openapi/routes";
import { describe, expect, test } from "vitest";
import * as limits from "../../infra/limits.ts";
import { committedManifest, named } from "./stage.ts";

const { api, functions } = await committedManifest();
const routes = Object.fromEntries(api.routes.map((route) => [`${route.method} ${route.path}`, route]));
/** For what the contract does not have. */
const catchAll = "ANY /{proxy+}";
/** A HEAD is its GET without the body, so the contract does not name it. */
const head = "HEAD /health";

test("every route of the contract is there, and besides them HEAD /health and one for all that is none", () => {
  expect(Object.keys(routes).sort()).toEqual([...Object.keys(contract), catchAll, head].sort());
});

test("HEAD /health is answered by who answers GET", () => {
  expect(routes[head]).toEqual({ ...routes["GET /health"], method: "HEAD" });
});

test("only /health, /openapi.json and what is no route answer without a key", () => {
  const open = Object.keys(routes).filter((route) => !routes[route]?.authorized);

  expect(["GET /health", head, "GET /openapi.json", catchAll]).toEqual(expect.arrayContaining(open));
});

test("what is no route is answered as such with any key or none, by a function that may do nothing", () => {
  expect(routes[catchAll]).toMatchObject({ function: "NotFound", authorized: false });
  expect(named(functions, "NotFound")).toMatchObject({ policy: [], links: {} });
});

test("a request without an Authorization header never reaches the authorizer, and a revoked key lasts a minute at most", () => {
  expect(api.authorizer?.identitySources).toEqual(["method.request.header.Authorization"]);
  expect(api.authorizer?.resultTtlSeconds).toBe(limits.authorizer.ttlSeconds);
  expect(limits.authorizer.ttlSeconds).toBeLessThanOrEqual(60);
});

test("every route that calls OpenAI streams, those of results, which may be large, and no other does", () => {
  for (const route of api.routes)
    expect({ route, streams: route.streaming }).toEqual({
      route,
      streams: "OpenAIApiKey" in named(functions, route.function).links || route.path.startsWith("/results"),
    });
});

test("API Gateway throttles before Lambda does", () => {
  expect(api.throttling).toEqual(limits.throttling);
  expect(limits.throttling.burstLimit).toBeGreaterThanOrEqual(limits.throttling.rateLimit);
});

describe("what API Gateway answers by itself", () => {
  /** As API Gateway fills a template in: variables only, nothing of it is a program. */
  function render(responseType: string) {
    const template = named(named(api.gatewayResponses, responseType).templates, "application/json");
    return JSON.parse(template.replaceAll("$context.error.messageString", JSON.stringify(`It says "no".`)));
  }

  test.each(Object.keys(api.gatewayResponses))("%s has OpenAI's shape and a request id", (responseType) => {
    expect(render(responseType)).toEqual({
      error: {
        message: expect.stringMatching(/\w/),
        type: expect.stringMatching(/^(invalid_request_error|rate_limit_error|server_error)$/),
        param: null,
        code: expect.stringMatching(/^[a-z_]+$/),
      },
    });
    expect(named(api.gatewayResponses, responseType).parameters).toMatchObject({
      "gatewayresponse.header.x-request-id": "context.requestId",
    });
  });

  test.each([
    ["UNAUTHORIZED", 401, "invalid_api_key"],
    ["ACCESS_DENIED", 403, "forbidden"],
    ["MISSING_AUTHENTICATION_TOKEN", 404, "not_found"],
    ["INVALID_SIGNATURE", 404, "not_found"],
    ["REQUEST_TOO_LARGE", 413, "payload_too_large"],
    ["THROTTLED", 429, "rate_limited"],
    ["INTEGRATION_TIMEOUT", 504, "upstream_timeout"],
    ["DEFAULT_5XX", 500, "internal"],
  ])("%s is %i %s", (responseType, status, code) => {
    expect(named(api.gatewayResponses, responseType).statusCode).toBe(status);
    expect(render(responseType).error.code).toBe(code);
  });

  test("any other refusal keeps its status and its message", () => {
    expect(named(api.gatewayResponses, "DEFAULT_4XX").statusCode).toBeNull();
    expect(render("DEFAULT_4XX").error).toMatchObject({ code: "invalid_request", message: `It says "no".` });
  });

  test("a request that is too large is told where it fits", () => {
    expect(render("REQUEST_TOO_LARGE").error.message).toContain("POST /uploads");
  });

  test("a throttled request is told when to retry", () => {
    expect(named(api.gatewayResponses, "THROTTLED").parameters["gatewayresponse.header.Retry-After"]).toBe("'1'");
  });
});
