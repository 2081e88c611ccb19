import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { InlineImage } from "@tollgate/core/image/inline-image";
import { createUpstream } from "@tollgate/core/openai/client";
import { connectTimeoutCode, createFetch } from "@tollgate/core/openai/fetch";
import { connectAhead } from "@tollgate/core/openai/preconnect";
import { afterEach, describe, expect, test, vi } from "vitest";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((closed) => server.close(closed))));
});

/** Returns the server's address, and how many connections it has been asked for. */
async function listen(server: Server) {
  let connections = 0;
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket.on("close", () => sockets.delete(socket)));
  });
  servers.push(server);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : null;
  return { host: `127.0.0.1:${port}`, connections: () => connections };
}

const serve = (answer: Answer) => listen(createServer(answer));

test("sends method, path, headers and text, and reads status, headers and body", async () => {
  const { host } = await serve(async (request, response) => {
    const { method, url, headers } = request;
    response.writeHead(418, "Teapot", { "x-request-id": "req_1", "set-cookie": ["a=1", "b=2"] });
    response.end(JSON.stringify({ method, url, headers, body: await text(request) }));
  });
  const headers = new Headers({ authorization: "Bearer sk-test", "content-type": "application/json" });
  const response = await createFetch()(`http://${host}/v1/chat?x=1`, { method: "POST", headers, body: '{"ä":1}' });
  expect(response).toMatchObject({ status: 418, statusText: "Teapot", ok: false, url: `http://${host}/v1/chat?x=1` });
  expect(response.headers.get("x-request-id")).toBe("req_1");
  expect(response.headers.get("set-cookie")).toBe("a=1, b=2");
  expect(await response.json()).toMatchObject({
    method: "POST",
    url: "/v1/chat?x=1",
    headers: { authorization: "Bearer sk-test", "content-type": "application/json", "content-length": "8" },
    body: '{"ä":1}',
  });
});

/** OpenAI's types do not know that a body may be a stream. */
const streaming = (pieces: Iterable<Buffer>, more: object = {}) =>
  ({ method: "POST", body: ReadableStream.from(pieces), ...more }) as unknown as RequestInit;

test("sends a stream, whose pieces may be in the same memory, with the length that it was given", async () => {
  const { host } = await serve(async (request, response) => {
    response.end(JSON.stringify({ headers: request.headers, body: await text(request) }));
  });
  const memory = Buffer.alloc(256 * 1024);
  const pieces = function* () {
    for (let n = 0; n < 100; n++) yield memory.fill(`${n} `);
  };
  const headers = { "content-length": String(100 * memory.length) };
  const response = await createFetch()(`http://${host}/`, streaming(pieces(), { headers }));
  const received = (await response.json()) as { headers: object; body: string };
  expect(received.headers).toMatchObject(headers);
  expect(received.headers).not.toHaveProperty("transfer-encoding");
  expect(received.body).toBe(Array.from(pieces(), String).join(""));
});

test("makes no more of a stream than its other end takes", async () => {
  const { host } = await serve(() => {});
  const abort = new AbortController();
  const piece = Buffer.alloc(64 * 1024, "x");
  const most = 16_384;
  let made = 0;
  const pieces = function* () {
    for (; made < most; made++) yield piece;
  };
  const answer = createFetch()(`http://${host}/`, streaming(pieces(), { signal: abort.signal }));
  // Nobody reads: it stands still once the system's own buffers are full.
  for (let before = -1; before !== made; await setTimeout(200)) before = made;
  abort.abort();
  await expect(answer).rejects.toMatchObject({ name: "AbortError" });
  expect(made).toBeGreaterThan(0);
  expect(made).toBeLessThan(most / 2);
  const madeByThen = made;
  await setTimeout(50);
  expect(made).toBe(madeByThen);
});

test("rejects with the reason when a stream fails, and when nobody listens", async () => {
  const { host } = await serve(() => {});
  const pieces = function* () {
    yield Buffer.from("x");
    throw new Error("no more");
  };
  await expect(createFetch()(`http://${host}/`, streaming(pieces()))).rejects.toThrow("no more");
  await new Promise((closed) => servers.pop()?.close(closed));
  const answer = createFetch()(`http://${host}/`, streaming([Buffer.from("x")]));
  await expect(answer).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("an image inside a request arrives as OpenAI wants it, at each attempt anew", async () => {
  const received: { method?: string; url?: string; headers: object; body: string }[] = [];
  const { host } = await serve(async (request, response) => {
    const { method = "", url = "", headers } = request;
    received.push({ method, url, headers, body: await text(request) });
    if (received.length === 1) return void response.writeHead(500).end("{}");
    response.setHeader("content-type", "application/json");
    response.end('{"choices":[]}');
  });
  const limits = { attemptTimeoutMs: 30_000, budgetMs: 30_000, maxAttempts: 2, sleep: async () => {} };
  const upstream = createUpstream({ apiKey: "sk-test", baseUrl: `http://${host}/v1`, ...limits });
  const bytes = Buffer.alloc(1_000_001, "a photograph");
  const paramsWith = (url: unknown) =>
    ({
      model: "gpt-4o-mini",
      messages: [
        { role: "system", content: "Übersetze." },
        { role: "user", content: [{ type: "image_url", image_url: { url, detail: "low" } }] },
      ],
      seed: 7,
    }) as unknown as Parameters<typeof upstream.complete>[0];
  await upstream.complete(
    paramsWith(new InlineImage(bytes, { format: "jpeg", width: 640, height: 480 })),
    Date.now() + 30_000,
  );
  await upstream.complete(paramsWith(`data:image/jpeg;base64,${bytes.toString("base64")}`), Date.now() + 30_000);
  const [refused, retried, ordinary] = received;
  // Path, headers and content are those of a request that OpenAI's client writes by itself.
  expect(refused).toEqual(ordinary);
  expect(retried).toEqual(ordinary);
});

test("gives a body piece by piece, as it comes", async () => {
  let go = () => {};
  const { host } = await serve(async (_, response) => {
    response.write("first");
    await new Promise<void>((resolve) => {
      go = resolve;
    });
    response.end("second");
  });
  const response = await createFetch()(`http://${host}/`);
  const pieces: string[] = [];
  for await (const piece of response.body ?? []) {
    pieces.push(Buffer.from(piece).toString());
    // The server waits for this: the first piece was read before the second was written.
    go();
  }
  expect(pieces).toEqual(["first", "second"]);
});

test("uses a connection again", async () => {
  const { host, connections } = await serve((_, response) => void response.end("hello"));
  const fetch = createFetch();
  for (let n = 0; n < 3; n++) expect(await (await fetch(`http://${host}/`)).text()).toBe("hello");
  expect(connections()).toBe(1);
});

test("uses no connection again that has rested for too long", async () => {
  const { host, connections } = await serve((_, response) => void response.end("hello"));
  let nowMs = 0;
  const fetch = createFetch({ maxRestMs: 4_000, now: () => nowMs });
  for (const restMs of [0, 4_000, 4_001]) {
    nowMs += restMs;
    await (await fetch(`http://${host}/`)).text();
  }
  expect(connections()).toBe(2);
});

describe("a connection that was begun before its request", () => {
  const patience = { maxRestMs: 4_000 };
  const begun = (connections: () => number, count: number) => vi.waitFor(() => expect(connections()).toBe(count));

  test("is the one that the request goes over", async () => {
    const { host, connections } = await serve((_, response) => void response.end("hello"));
    const fetch = createFetch();
    fetch.connect(`http://${host}/v1`);
    await begun(connections, 1);
    expect(await (await fetch(`http://${host}/v1/models`)).text()).toBe("hello");
    expect(connections()).toBe(1);
  });

  test("is made as the agent makes its own, probed while it is silent", async () => {
    const { host } = await serve((_, response) => void response.end("hello"));
    const agent = new Agent({ keepAlive: true });
    const create = agent.createConnection;
    const made: object[] = [];
    agent.createConnection = (options, ...rest) => {
      const { keepAlive, keepAliveInitialDelay, noDelay, port } = options as Record<string, unknown>;
      made.push({ keepAlive, keepAliveInitialDelay, noDelay, port: Number(port) });
      return create.call(agent, options, ...rest);
    };
    const { hostname, port } = new URL(`http://${host}`);
    connectAhead(agent, { ...patience, now: Date.now })({ host: hostname, port });
    const get = async (path: string) => {
      const [response] = await once(request(`http://${host}${path}`, { agent }).end(), "response");
      await text(response);
    };
    // The first goes over it, and the second at once needs another.
    await Promise.all([get("/1"), get("/2")]);
    agent.destroy();
    expect(made).toHaveLength(2);
    expect(made[0]).toEqual(made[1]);
    expect(made[0]).toMatchObject({ keepAlive: true, keepAliveInitialDelay: expect.any(Number) });
  });

  test("is used before it stands, too", async () => {
    const { host, connections } = await serve((_, response) => void response.end("hello"));
    const fetch = createFetch();
    fetch.connect(`http://${host}/v1`);
    expect(await (await fetch(`http://${host}/v1/models`)).text()).toBe("hello");
    expect(connections()).toBe(1);
  });

  test("is one, and none while another rests", async () => {
    const { host, connections } = await serve((_, response) => void response.end("hello"));
    const fetch = createFetch();
    for (let n = 0; n < 3; n++) {
      fetch.connect(`http://${host}/v1`);
      fetch.connect(`http://${host}/v1`);
      await (await fetch(`http://${host}/v1/models`)).text();
    }
    expect(connections()).toBe(1);
  });

  test("is made anew when its other end has closed it", async () => {
    const { host, connections } = await serve((_, response) => void response.end("hello"));
    const fetch = createFetch();
    fetch.connect(`http://${host}/v1`);
    await begun(connections, 1);
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(() => expect(sockets.size).toBe(0));
    fetch.connect(`http://${host}/v1`);
    await begun(connections, 2);
    expect(await (await fetch(`http://${host}/v1/models`)).text()).toBe("hello");
    expect(connections()).toBe(2);
  });

  test("is not used when it has waited for too long, as in an environment that was frozen", async () => {
    const { host, connections } = await serve((_, response) => void response.end("hello"));
    let nowMs = 0;
    const fetch = createFetch({ ...patience, now: () => nowMs });
    fetch.connect(`http://${host}/v1`);
    await begun(connections, 1);
    nowMs = patience.maxRestMs + 1;
    expect(await (await fetch(`http://${host}/v1/models`)).text()).toBe("hello");
    expect(connections()).toBe(2);
  });

  test("is no other server's", async () => {
    const [here, there] = [await serve((_, response) => void response.end("here")), await serve(() => {})];
    const fetch = createFetch();
    fetch.connect(`http://${there.host}/v1`);
    expect(await (await fetch(`http://${here.host}/v1/models`)).text()).toBe("here");
  });

  test("that nobody takes is the request's error, and none before", async () => {
    const { host } = await serve(() => {});
    await new Promise((closed) => servers.pop()?.close(closed));
    const fetch = createFetch();
    fetch.connect(`http://${host}/v1`);
    await setTimeout(20);
    await expect(fetch(`http://${host}/v1/models`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("of a protocol that there is none for is not begun, and the request's error", async () => {
    const fetch = createFetch();
    fetch.connect("ftp://127.0.0.1/v1");
    await expect(fetch("ftp://127.0.0.1/v1/models")).rejects.toThrow();
  });

  test("has no more time to be made than any other", async () => {
    const { host, connections } = await listen(createTcpServer(() => {}));
    const fetch = createFetch({ connectTimeoutMs: 50 });
    fetch.connect(`https://${host}/v1`);
    // The connection stands, and TLS does not.
    await begun(connections, 1);
    await expect(fetch(`https://${host}/v1/models`)).rejects.toMatchObject({ code: connectTimeoutCode });
  });
});

test("rejects with the system's code when nobody listens", async () => {
  const { host } = await serve(() => {});
  await new Promise((closed) => servers.pop()?.close(closed));
  await expect(createFetch()(`http://${host}/`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("rejects when a connection takes too long to be made, TLS included", async () => {
  const { host } = await listen(createTcpServer(() => {}));
  const answer = createFetch({ connectTimeoutMs: 50 })(`https://${host}/`);
  await expect(answer).rejects.toMatchObject({ code: connectTimeoutCode });
});

test("waits for an answer until its signal says otherwise", async () => {
  const abort = new AbortController();
  const { host } = await serve(() => abort.abort());
  await expect(createFetch()(`http://${host}/`, { signal: abort.signal })).rejects.toMatchObject({
    name: "AbortError",
  });
});

test("ends a body that has begun when its signal says so", async () => {
  const abort = new AbortController();
  const { host } = await serve((_, response) => void response.write("first"));
  const response = await createFetch()(`http://${host}/`, { signal: abort.signal });
  const body = response.text();
  abort.abort();
  await expect(body).rejects.toThrow();
});

test("rejects a body that is cut off", async () => {
  const { host } = await serve((_, response) => {
    response.writeHead(200, { "content-length": 10 });
    response.write("first", () => response.destroy());
  });
  const response = await createFetch()(`http://${host}/`);
  await expect(response.text()).rejects.toThrow();
});

test("a stream that was read to its end leaves its connection to the next", async () => {
  const { host, connections } = await serve((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write('data: {"choices":[]}\n\ndata: [DONE]\n\n');
    // What ends a response may come later than what says that it is done.
    setImmediate(() => response.end(": goodbye\n\n"));
  });
  const limits = { attemptTimeoutMs: 30_000, budgetMs: 30_000, maxAttempts: 1 };
  const upstream = createUpstream({ apiKey: "sk-test", baseUrl: `http://${host}/v1`, ...limits });
  const params = { model: "gpt-4o-mini", messages: [{ role: "user" as const, content: "Hello" }] };
  for (let n = 0; n < 2; n++) {
    const { events } = await upstream.stream(params, Date.now() + 30_000);
    const data: string[] = [];
    for await (const event of events) data.push(event);
    expect(data).toEqual(['{"choices":[]}']);
  }
  expect(connections()).toBe(1);
});
