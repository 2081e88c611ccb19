import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createThrottle } from "../../../packages/local/src/gateway/throttle.ts";
import { startGate } from "../lambda/gate.ts";
import { ECHO, route, startApi } from "./api.ts";

const WITH_REQUEST_ID = { "gatewayresponse.header.x-request-id": "context.requestId" };

const waitsAt = (gate: string) => ({
  source: `export const handler = async () => { await fetch("${gate}"); return { statusCode: 200 }; };`,
});

describe("gateway responses", () => {
  let api: Awaited<ReturnType<typeof startApi>>;
  beforeAll(async () => {
    api = await startApi(
      {
        echo: ECHO,
        fails: { source: `export const handler = async () => { throw new Error("boom"); };` },
        waits: { source: "export const handler = async () => new Promise((resolve) => setTimeout(resolve, 60_000));" },
      },
      {
        routes: [
          route("POST /echo", "echo"),
          route("GET /closed", "echo", { authorized: true }),
          route("GET /fails", "fails"),
          route("GET /waits", "waits", { integrationTimeoutMs: 100 }),
          route("GET /nothing", "absent"),
        ],
        authorizer: {
          function: "fails",
          identitySources: ["method.request.header.Authorization"],
          resultTtlSeconds: 0,
        },
        gatewayResponses: {
          MISSING_AUTHENTICATION_TOKEN: {
            statusCode: 404,
            parameters: {
              ...WITH_REQUEST_ID,
              "gatewayresponse.header.x-literal": "'as it is'",
              "gatewayresponse.header.x-agent": "method.request.header.User-Agent",
            },
            templates: {
              "application/json":
                '{"error":{"message":$context.error.messageString,"raw":"$context.error.message",' +
                '"type":"$context.error.responseType","id":"$context.requestId","ip":"$context.identity.sourceIp","none":"$context.no.such"}}',
            },
          },
          UNAUTHORIZED: { statusCode: null, parameters: WITH_REQUEST_ID, templates: {} },
          DEFAULT_4XX: { statusCode: null, parameters: { "gatewayresponse.header.x-family": "'4xx'" }, templates: {} },
          DEFAULT_5XX: {
            statusCode: null,
            parameters: { ...WITH_REQUEST_ID, "gatewayresponse.header.x-family": "'5xx'" },
            templates: { "text/plain": "$context.error.responseType" },
          },
        },
      },
      { lambda: { drainTimeoutMs: 0 } },
    );
  });
  afterAll(() => api.stop());

  it("have the status, headers and body that the API gives to their type", async () => {
    const response = await api.fetch("/nowhere", { headers: { "User-Agent": "specification" } });
    const id = response.headers.get("x-amzn-requestid");
    expect(response.status).toBe(404);
    expect(response.headers.get("x-request-id")).toBe(id);
    expect(response.headers.get("x-literal")).toBe("as it is");
    expect(response.headers.get("x-agent")).toBe("specification");
    expect(response.headers.get("x-family")).toBeNull();
    const message = "Missing Authentication Token";
    expect(await response.json()).toEqual({
      error: { message, raw: message, type: "MISSING_AUTHENTICATION_TOKEN", id, ip: "127.0.0.1", none: "" },
    });
  });

  it("keep the default status and body where the API gives none", async () => {
    const response = await api.fetch("/closed");
    expect(response.status).toBe(401);
    expect(response.headers.get("x-request-id")).toBe(response.headers.get("x-amzn-requestid"));
    expect(await response.json()).toEqual({ message: "Unauthorized" });
  });

  it("fall back to DEFAULT_4XX", async () => {
    const response = await api.fetch("/echo", { method: "POST", body: "x".repeat(7 * 1024 * 1024) });
    expect(response.status).toBe(413);
    expect(response.headers.get("x-family")).toBe("4xx");
  });

  it.each([
    ["/fails", 502, "DEFAULT_5XX"],
    ["/waits", 504, "INTEGRATION_TIMEOUT"],
    ["/nothing", 500, "API_CONFIGURATION_ERROR"],
    ["/closed", 500, "AUTHORIZER_FAILURE"],
  ])("fall back to DEFAULT_5XX (%s)", async (path, status, responseType) => {
    const response = await api.fetch(path, { headers: { Authorization: "key" } });
    expect(response.status).toBe(status);
    expect(response.headers.get("x-family")).toBe("5xx");
    expect(response.headers.get("content-type")).toBe("text/plain");
    expect(response.headers.get("x-request-id")).toBe(response.headers.get("x-amzn-requestid"));
    expect(await response.text()).toBe(responseType);
  });
});

it("answers 429 to more requests than the stage's burst, for each method of each path by itself", async () => {
  const routes = [route("GET /echo/{id}", "echo"), route("PUT /echo/{id}", "echo"), route("GET /other", "echo")];
  const api = await startApi({ echo: ECHO }, { routes, throttling: { burstLimit: 2, rateLimit: 0.0001 } });
  const responses = [await api.fetch("/echo/1"), await api.fetch("/echo/2"), await api.fetch("/echo/3")];
  const others = [await api.fetch("/echo/1", { method: "PUT" }), await api.fetch("/other")];
  await api.stop();
  expect(responses.map(({ status }) => status)).toEqual([200, 200, 429]);
  expect(await responses[2]?.json()).toEqual({ message: "Too Many Requests" });
  expect(others.map(({ status }) => status)).toEqual([200, 200]);
});

it("gains tokens at the stage's rate, up to its burst", () => {
  let nowMs = 0;
  const takeOf = createThrottle({ burstLimit: 2, rateLimit: 10 }, () => nowMs);
  const echo = route("GET /echo", "echo");
  const take = () => takeOf(echo);
  expect([take(), take(), take()]).toEqual([true, true, false]);
  nowMs = 100;
  expect([take(), take()]).toEqual([true, false]);
  nowMs = 60_000;
  expect([take(), take(), take()]).toEqual([true, true, false]);
});

it("answers 500 when the function is throttled, as REST APIs do", async () => {
  const gate = await startGate();
  const api = await startApi(
    { waits: waitsAt(gate.url) },
    { routes: [route("GET /waits", "waits")] },
    { lambda: { concurrency: 1 } },
  );
  const first = api.fetch("/waits");
  await gate.arrived(1);
  const second = await api.fetch("/waits");
  expect(second.status).toBe(500);
  expect(await second.json()).toEqual({ message: "Internal server error" });
  gate.open();
  expect((await first).status).toBe(200);
  await api.stop();
  await gate.close();
});

it("lets running requests end when it stops, and takes no more", async () => {
  const gate = await startGate();
  const api = await startApi({ waits: waitsAt(gate.url) }, { routes: [route("GET /waits", "waits")] });
  const running = api.fetch("/waits");
  await gate.arrived(1);
  const stopped = api.stop();
  await expect(api.fetch("/waits")).rejects.toThrow();
  gate.open();
  expect((await running).status).toBe(200);
  await stopped;
  await gate.close();
});
