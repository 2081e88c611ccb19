import { once } from "node:events";
import { request } from "node:http";
import net from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createRouter } from "../../../packages/local/src/gateway/router.ts";
import { ACCOUNT_ID } from "../lambda/functions.ts";
import { startGate } from "../lambda/gate.ts";
import { ECHO, route, startApi } from "./api.ts";

const STREAMS = `declare const awslambda: any;
  export const handler = awslambda.streamifyResponse(async (event: any, stream: any) => {`;

let api: Awaited<ReturnType<typeof startApi>>;

beforeAll(async () => {
  api = await startApi(
    {
      echo: ECHO,
      answers: { source: "export const handler = async ({ body }: any) => JSON.parse(body);" },
      fails: { source: `export const handler = async () => { throw new Error("boom"); };` },
      waits: { source: "export const handler = async () => new Promise((resolve) => setTimeout(resolve, 60_000));" },
      streams: {
        source: `${STREAMS}
          const { metadata, parts, gate, fail } = JSON.parse(event.body);
          stream = awslambda.HttpResponseStream.from(stream, metadata);
          stream.write(parts[0]);
          if (gate) await fetch(gate);
          if (fail) throw new Error("midway");
          for (const part of parts.slice(1)) stream.write(part);
          stream.end();
          console.log("streamed to the end");
        });`,
      },
      streamWaits: {
        source: `${STREAMS}
          stream = awslambda.HttpResponseStream.from(stream, { statusCode: 200 });
          if (event.path === "/stream/begun") stream.write("begun");
          await new Promise((resolve) => setTimeout(resolve, 60_000));
        });`,
      },
    },
    {
      routes: [
        route("ANY /echo", "echo"),
        route("POST /results", "echo"),
        route("GET /results/{id}", "echo"),
        route("GET /results/latest", "echo"),
        route("GET /results/{proxy+}", "echo"),
        route("POST /answers", "answers"),
        route("GET /fails", "fails"),
        route("GET /waits", "waits", { integrationTimeoutMs: 300 }),
        route("POST /stream", "streams", { streaming: true }),
        route("GET /stream/fails", "fails", { streaming: true }),
        route("GET /stream/plain", "echo", { streaming: true }),
        route("GET /stream/silent", "streamWaits", { streaming: true, integrationTimeoutMs: 300 }),
        route("GET /stream/begun", "streamWaits", { streaming: true, integrationTimeoutMs: 600 }),
      ],
    },
    { lambda: { drainTimeoutMs: 0 } },
  );
});
afterAll(() => api.stop());

const answer = (response: unknown) => api.fetch("/answers", { method: "POST", body: JSON.stringify(response) });
const stream = (event: unknown) => api.fetch("/stream", { method: "POST", body: JSON.stringify(event) });

describe("the event of a proxy integration", () => {
  it("has the request as a REST API passes it on", async () => {
    const response = await api.fetch("/echo?a=1&a=2&text=gr%C3%BC%C3%9Fe%20%26", {
      method: "PUT",
      headers: { "X-Custom": "value", "content-type": "text/plain", "user-agent": "specification" },
      body: "Größe ✓",
    });
    const event = JSON.parse(await response.text());
    expect(event).toMatchObject({
      resource: "/echo",
      path: "/echo",
      httpMethod: "PUT",
      queryStringParameters: { a: "2", text: "grüße &" },
      multiValueQueryStringParameters: { a: ["1", "2"], text: ["grüße &"] },
      pathParameters: null,
      stageVariables: null,
      body: "Größe ✓",
      isBase64Encoded: false,
      requestContext: {
        accountId: ACCOUNT_ID,
        httpMethod: "PUT",
        path: "/echo",
        protocol: "HTTP/1.1",
        resourcePath: "/echo",
        stage: "test",
        identity: { sourceIp: "127.0.0.1", userAgent: "specification" },
      },
    });
    expect(event.requestContext.requestId).toBe(response.headers.get("x-amzn-requestid"));
    expect(event.requestContext.extendedRequestId).toBe(response.headers.get("x-amz-apigw-id"));
    expect(event.requestContext.apiId).toMatch(/^[0-9a-z]{10}$/);
    expect(event.requestContext.requestTime).toMatch(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
    expect(event.requestContext.requestTimeEpoch).toBeTypeOf("number");
    expect(event.requestContext).not.toHaveProperty("authorizer");
  });

  it("keeps the client's header names, all values and none of the connection's own", async () => {
    const sent = request(`${api.url}/echo`, {
      headers: { "X-CamelCase": "one", "x-multi": ["a", "b"], Connection: "close" },
    });
    sent.end();
    const [response] = await once(sent, "response");
    const { headers, multiValueHeaders } = JSON.parse(await text(response));
    expect(headers).toMatchObject({ "X-CamelCase": "one", "x-multi": "b", "X-Forwarded-For": "127.0.0.1" });
    expect(multiValueHeaders["x-multi"]).toEqual(["a", "b"]);
    expect(Object.keys(headers).map((name) => name.toLowerCase())).not.toContain("connection");
    expect(headers["X-Amzn-Trace-Id"]).toMatch(/^Root=1-/);
  });

  it("has null for what the request has not", async () => {
    const event = JSON.parse(await (await api.fetch("/echo")).text());
    expect(event).toMatchObject({ body: null, queryStringParameters: null, multiValueQueryStringParameters: null });
  });
});

describe("routing", () => {
  it.each([
    ["/results/latest", "/results/latest", null],
    ["/results/res_1", "/results/{id}", { id: "res_1" }],
    ["/results/a%2Fb%20c", "/results/{id}", { id: "a/b c" }],
    ["/results/a/b", "/results/{proxy+}", { proxy: "a/b" }],
    ["/results/res_1/", "/results/{id}", { id: "res_1" }],
  ])("%s is %s", async (path, resource, pathParameters) => {
    const event = JSON.parse(await (await api.fetch(path)).text());
    expect(event).toMatchObject({ resource, pathParameters });
  });

  it.each([
    ["GET", "/nowhere"],
    ["DELETE", "/results"],
    ["DELETE", "/results/latest"],
    ["GET", "/"],
  ])("%s %s is no route: 403 Missing Authentication Token", async (method, path) => {
    const response = await api.fetch(path, { method });
    expect(response.status).toBe(403);
    expect(response.headers.get("x-amzn-errortype")).toBe("MissingAuthenticationTokenException");
    expect(await response.json()).toEqual({ message: "Missing Authentication Token" });
  });

  it.each([
    ["GET", "/nowhere"],
    ["DELETE", "/results"],
  ])("%s %s with a key is a request whose signature is none: 403 too", async (method, path) => {
    const response = await api.fetch(path, { method, headers: { Authorization: "Bearer key" } });
    expect(response.status).toBe(403);
    expect(response.headers.get("x-amzn-errortype")).toBe("IncompleteSignatureException");
    expect(await response.json()).toEqual({ message: expect.stringContaining("missing equal-sign") });
  });

  it.each([
    ["POST", "/v1/embeddings", "/{proxy+}", "ANY"],
    ["GET", "/results/res_1/parts", "/{proxy+}", "ANY"],
    ["GET", "/results/res_1", "/results/{id}", "GET"],
    ["PUT", "/results/res_1", "/results/{id}", undefined],
    ["GET", "/", undefined, undefined],
  ])("leaves to a greedy path what no other has: %s %s", (method, path, resourcePath, found) => {
    const match = createRouter([route("ANY /{proxy+}", "none"), route("GET /results/{id}", "one")])(method, path);
    expect([match?.resourcePath, match?.route?.method]).toEqual([resourcePath, found]);
  });
});

describe("a buffered integration", () => {
  it("answers with the function's status, headers and body", async () => {
    const response = await answer({
      statusCode: 418,
      headers: { "content-type": "text/plain", "x-one": "1", "x-both": "lost" },
      multiValueHeaders: { "Set-Cookie": ["a=1", "b=2"], "X-Both": ["kept"] },
      body: "täa",
    });
    expect(response.status).toBe(418);
    expect(response.headers.get("content-type")).toBe("text/plain");
    expect(response.headers.get("x-one")).toBe("1");
    expect(response.headers.get("x-both")).toBe("kept");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(await response.text()).toBe("täa");
  });

  it("takes a status in a string, no headers and no body", async () => {
    const response = await answer({ statusCode: "204" });
    expect(response.status).toBe(204);
    expect(await (await answer({ statusCode: 200 })).text()).toBe("");
    expect((await answer({ statusCode: 200 })).headers.get("content-type")).toBe("application/json");
  });

  it("sends base64 as it stands, having no binary media types", async () => {
    const response = await answer({ statusCode: 200, body: "aGVsbG8=", isBase64Encoded: true });
    expect(await response.text()).toBe("aGVsbG8=");
  });

  it("renames headers that are its own to send", async () => {
    const { headers } = await answer({
      statusCode: 401,
      headers: { "WWW-Authenticate": "Bearer", "Content-Length": "999" },
    });
    expect(headers.get("www-authenticate")).toBeNull();
    expect(headers.get("x-amzn-remapped-www-authenticate")).toBe("Bearer");
    expect(headers.get("content-length")).toBe("0");
  });

  it.each([
    ["no object", "text"],
    ["null", null],
    ["no statusCode", { body: "x" }],
    ["a statusCode that is none", { statusCode: "fine" }],
    ["a body that is an object", { statusCode: 200, body: { a: 1 } }],
    ["a header that is an object", { statusCode: 200, headers: { a: {} } }],
    ["multi-value headers that are no lists", { statusCode: 200, multiValueHeaders: { a: "b" } }],
  ])("answers 502 when the function returns %s", async (_what, malformed) => {
    const response = await answer(malformed);
    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({ message: "Internal server error" });
  });

  it("answers 502 when the function throws, and keeps the error for the log", async () => {
    const response = await api.fetch("/fails");
    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({ message: "Internal server error" });
    expect(api.log.at(-1)).toContain("boom");
  });

  it("answers 504 when the function takes longer than the integration may", async () => {
    const response = await api.fetch("/waits");
    expect(response.status).toBe(504);
    expect(await response.json()).toEqual({ message: "Endpoint request timed out" });
  });
});

describe("a streaming integration", () => {
  it("answers with the metadata's status and headers, and forwards bytes as they come", async () => {
    const gate = await startGate();
    const response = await stream({
      metadata: { statusCode: 201, headers: { "content-type": "text/event-stream" }, cookies: ["a=1", "b=2"] },
      parts: ["data: first\n\n", "data: last\n\n"],
      gate: gate.url,
    });
    expect(response.status).toBe(201);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(response.headers.get("x-amzn-requestid")).toBeTruthy();
    const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toBe("data: first\n\n");
    gate.open();
    expect((await reader.read()).value).toBe("data: last\n\n");
    expect((await reader.read()).done).toBe(true);
    await gate.close();
  });

  it("breaks the response off when the function fails midway", async () => {
    const gate = await startGate();
    const response = await stream({ metadata: { statusCode: 200 }, parts: ["half"], gate: gate.url, fail: true });
    expect(response.status).toBe(200);
    gate.open();
    await expect(response.text()).rejects.toThrow();
    await gate.close();
  });

  it("does not tell the function that the client has gone", async () => {
    const gate = await startGate();
    const client = new AbortController();
    const event = { metadata: { statusCode: 200 }, parts: ["first", "x".repeat(1_000_000), "last"], gate: gate.url };
    const init = { method: "POST", body: JSON.stringify(event), signal: client.signal };
    const response = await api.fetch("/stream", init);
    await gate.arrived(1);
    const before = printed();
    client.abort();
    await expect(response.text()).rejects.toThrow();
    gate.open();
    await vi.waitUntil(() => printed() > before, { timeout: 20_000 });
    await gate.close();
  });
  const printed = () => api.lambda.lines.filter(({ line }) => line.includes('"streamed to the end"')).length;

  it.each(["/stream/fails", "/stream/plain"])("answers 502 when nothing was streamed (%s)", async (path) => {
    const response = await api.fetch(path);
    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({ message: "Internal server error" });
  });

  it("answers 502 when the metadata has no status that HTTP knows", async () => {
    expect((await stream({ metadata: { statusCode: 99 }, parts: ["x"] })).status).toBe(502);
  });

  it("answers 504 when the time-out comes before the metadata, and breaks off when it comes after", async () => {
    expect((await api.fetch("/stream/silent")).status).toBe(504);
    const response = await api.fetch("/stream/begun");
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });
});

describe("limits", () => {
  const post = (body: string | Buffer) => api.fetch("/results", { method: "POST", body });

  it("takes a body of 5 MB", async () => {
    const event = JSON.parse(await (await post("x".repeat(5_000_000))).text());
    expect(event.body.length).toBe(5_000_000);
  });

  it("answers 413 to a body of 7 MB, which is more than Lambda takes", async () => {
    const response = await post("x".repeat(7 * 1024 * 1024));
    expect(response.status).toBe(413);
    expect(await response.json()).toEqual({ message: "Request Too Long" });
  });

  it.each([
    [10_485_760, "Request Too Long"],
    [10_485_761, "HTTP content length exceeded 10485760 bytes."],
  ])("answers 413 to a body of %i bytes: %s", async (bytes, message) => {
    const response = await post(Buffer.alloc(bytes, "x"));
    expect(response.status).toBe(413);
    expect(await response.json()).toEqual({ message });
  });

  it.each([
    ["with its length", `Content-Length: ${11 * 1024 * 1024}`],
    ["in chunks", "Transfer-Encoding: chunked"],
  ])("lets a client that sends 11 MB %s before it reads have its 413", async (_how, header) => {
    const socket = net.connect(Number(new URL(api.url).port), "127.0.0.1");
    socket.write(`POST /results HTTP/1.1\r\nHost: local\r\nConnection: close\r\n${header}\r\n\r\n`);
    const piece = Buffer.alloc(1024 * 1024, "x");
    socket.pause();
    for (let i = 0; i < 11; i += 1) {
      const framed = header.startsWith("T") ? [`${piece.length.toString(16)}\r\n`, piece, "\r\n"] : [piece];
      for (const part of framed) if (!socket.write(part)) await once(socket, "drain");
    }
    if (header.startsWith("T")) socket.write("0\r\n\r\n");
    expect((await text(socket)).split("\r\n")[0]).toBe("HTTP/1.1 413 Payload Too Large");
  });

  it("answers 413 instead of asking for a body that is announced too large", async () => {
    const length = String(11 * 1024 * 1024);
    const sent = request(`${api.url}/results`, {
      method: "POST",
      headers: { Expect: "100-continue", "Content-Length": length },
    });
    sent.flushHeaders();
    const asked = once(sent, "continue").then(() => "asked");
    const answered = once(sent, "response").then(([response]) => response.statusCode);
    expect(await Promise.race([asked, answered])).toBe(413);
    sent.on("error", () => {}).destroy();
  });

  it.each([
    [10_240, "200 OK"],
    [10_241, "431 Request Header Fields Too Large"],
  ])("answers a request line and header values of %i bytes with %s", async (bytes, status) => {
    const requestLine = "GET /echo HTTP/1.1";
    const filler = "x".repeat(bytes - requestLine.length - "local".length - "close".length);
    const socket = net.connect(Number(new URL(api.url).port), "127.0.0.1");
    socket.write(`${requestLine}\r\nHost: local\r\nConnection: close\r\nX-Filler: ${filler}\r\n\r\n`);
    expect((await text(socket)).split("\r\n")[0]).toBe(`HTTP/1.1 ${status}`);
  });
});
