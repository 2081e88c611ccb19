import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import https from "node:https";
import { isIP, type Socket } from "node:net";
import type { ClientOptions } from "openai";
import { decoded } from "./decode.ts";
import { connectAhead } from "./preconnect.ts";
import { Headers } from "./web.ts";

type Fetch = NonNullable<ClientOptions["fetch"]>;

/** Not imported: as an ES module, node:http brings its WebSocket along, and with that all of Node's own fetch. */
const http = process.getBuiltinModule("node:http");

/** Of a connection that was never made, so that nothing was sent over it. */
export const connectTimeoutCode = "ERR_CONNECT_TIMEOUT";

interface FetchOptions {
  /** The longest that a connection may take to be made, TLS included. */
  connectTimeoutMs: number;
  /** The longest that a connection may have rested to be used again: its other end may have closed it since. */
  maxRestMs: number;
  now: () => number;
}

/** Both are those of Node's own fetch. */
const defaults: FetchOptions = { connectTimeoutMs: 10_000, maxRestMs: 4_000, now: Date.now };

/**
 * As much of `fetch` as OpenAI's client asks for, on Node's HTTP client: a fifth of the work of Node's own fetch for each
 * request, and no limit of 5 minutes to the wait for an answer. No redirects. Asks for bodies as they are, and decodes those
 * that a server compresses all the same. A request's body is text, or a stream whose length the caller gives in `content-length`.
 */
export function createFetch(options: Partial<FetchOptions> = {}): Fetch & {
  /** Begins to connect to the server of this URL, unless a connection rests that can be used. */
  connect(url: string): void;
} {
  const { connectTimeoutMs, maxRestMs, now } = { ...defaults, ...options };
  const protocolOf = (request: typeof http.request, agent: Agent) => ({
    request,
    agent: resting(agent, maxRestMs, now),
    connect: connectAhead(agent, { maxRestMs, now }),
  });
  const protocols = {
    "http:": protocolOf(http.request, new http.Agent({ keepAlive: true })),
    "https:": protocolOf(https.request, new https.Agent({ keepAlive: true })),
  };
  const protocolIn = ({ protocol }: URL) => protocols[protocol as keyof typeof protocols];
  const connect = (to: string) => {
    const url = new URL(to);
    // Of another protocol is the request's to complain.
    if (!(url.protocol in protocols)) return;
    const { agent, connect } = protocolIn(url);
    // Closes what has rested for too long, which would seem to rest still.
    agent();
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const port = url.port || (url.protocol === "http:" ? 80 : 443);
    connect({ host, port, ...(!isIP(host) && { servername: host }) });
  };
  const fetch: Fetch = (input, { method = "GET", headers, body, signal } = {}) =>
    new Promise((resolve, reject) => {
      const url = new URL(String(input));
      const protocol = protocolIn(url);
      const isStream = body instanceof ReadableStream;
      if (!isStream && typeof body !== "string" && body != null)
        throw new TypeError("Only text and streams are sent to OpenAI.");
      const request = protocol.request(url, {
        method,
        headers: {
          "accept-encoding": "identity",
          ...(!isStream && { "content-length": Buffer.byteLength(body ?? "") }),
          ...Object.fromEntries(headers instanceof Headers ? headers : new Headers(headers as Record<string, string>)),
        },
        agent: protocol.agent(),
        ...(signal && { signal }),
      });
      limitConnecting(request, connectTimeoutMs);
      request.on("error", reject).once("response", (message) => {
        try {
          resolve(responseOf(message, url.href));
        } catch (error) {
          message.destroy();
          reject(error);
        }
      });
      if (isStream) sendPieces(request, body).catch((error) => request.destroy(error));
      else request.end(body);
    });
  return Object.assign(fetch, { connect });
}

/** The agent, without the connections that have rested for too long. A timer would come too late to one that was frozen. */
function resting(agent: Agent, maxRestMs: number, now: () => number): () => Agent {
  const since = new WeakMap<Socket, number>();
  agent.on("free", (socket: Socket) => since.set(socket, now()));
  return () => {
    for (const socket of Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []))
      if (now() - (since.get(socket) ?? 0) > maxRestMs) socket.destroy();
    return agent;
  };
}

function limitConnecting(request: ClientRequest, timeoutMs: number): void {
  request.once("socket", (socket) => {
    if (!socket.connecting && !("secureConnecting" in socket && socket.secureConnecting)) return;
    const error = Object.assign(new Error(`No connection after ${timeoutMs} ms.`), { code: connectTimeoutCode });
    const timer = setTimeout(() => request.destroy(error), timeoutMs);
    const end = () => clearTimeout(timer);
    socket.once("encrypted" in socket ? "secureConnect" : "connect", end).once("close", end);
  });
}

/** Asks for a piece when the one before has left the process, so that its memory can be used again. */
async function sendPieces(request: ClientRequest, body: ReadableStream<Uint8Array>): Promise<void> {
  for await (const piece of body) {
    await new Promise<void>((sent, failed) => request.write(piece, (error) => (error ? failed(error) : sent())));
  }
  request.end();
}

/** What OpenAI's client reads of a response, and what we do. Its body can be iterated over. */
function responseOf(message: IncomingMessage, url: string): Response {
  const { statusCode: status = 0, statusMessage: statusText = "" } = message;
  const headers = new Headers();
  for (const [name, values] of Object.entries(message.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  const body = decoded(message);
  const text = async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  };
  const json = async () => JSON.parse(await text());
  const ok = status >= 200 && status < 300;
  return { status, statusText, ok, headers, url, body, text, json } as unknown as Response;
}
