import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createBillingLedger } from "./billed.ts";
import { createClock } from "./clock.ts";
import { control } from "./control.ts";
import { openAIError } from "./error.ts";
import { exchangeCompletion } from "./exchange.ts";
import { createFaults } from "./fault.ts";
import { allow, authorize, readJson, sendError, sendJson, stampProcessing } from "./http.ts";
import { modelList, modelObject } from "./models.ts";
import { createPromptCache } from "./prompt-cache.ts";
import { createTraffic } from "./traffic.ts";

export interface OpenAIOptions {
  /** 0, the default, takes any free port. */
  port?: number;
  /** The one key that is accepted; `sk-local` by default. */
  apiKey?: string;
  /** Where the billing ledger is kept, so that it survives restarts; in memory only without it. */
  dataDir?: string;
  /** How long every answer takes; 0 by default. */
  latencyMs?: number;
  /** Which day it is, for models that have ended; `POST /_control/clock` sets another. */
  clock?: () => Date;
}

export interface RunningOpenAI {
  /** `http://127.0.0.1:PORT`; a client's base URL is this and `/v1`. */
  url: string;
  apiKey: string;
  /** Ends every connection, hung ones too, and resolves once all that was billed is on the ledger. */
  close(): Promise<void>;
}

/** A simulated OpenAI on loopback: `/v1/chat/completions`, `/v1/models`, and `/_control/` to set faults and read the bill. */
export async function startOpenAI(options: OpenAIOptions = {}): Promise<RunningOpenAI> {
  const { port = 0, apiKey = "sk-local", dataDir, latencyMs = 0 } = options;
  const clock = createClock(options.clock);
  const faults = createFaults();
  const ledger = createBillingLedger(dataDir);
  const traffic = createTraffic();
  const deps = { faults, ledger, promptCache: createPromptCache(), latencyMs, clock: clock.now };

  async function route(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    const startedMs = performance.now();
    const method = request.method ?? "GET";
    const [pathname = "/"] = (request.url ?? "/").split("?");
    response.setHeader("x-request-id", requestId);
    response.setHeader("openai-version", "2020-10-01");
    try {
      if (pathname.startsWith("/_control/"))
        return sendJson(
          response,
          control({ faults, ledger, traffic, clock }, method, pathname, await readJson(request)),
        );
      authorize(request, apiKey);
      if (pathname === "/v1/chat/completions") {
        allow("POST", method, pathname);
        traffic.enter(request, response);
        const body = await readJson(request);
        return await exchangeCompletion(deps, { body, request, response, requestId, apiKey, startedMs });
      }
      const models = modelsAt(method, pathname, clock.now());
      stampProcessing(response, startedMs);
      sendJson(response, models);
    } catch (error) {
      // What has begun cannot be taken back, and a client that left needs no answer.
      if (response.headersSent || response.destroyed) return void response.destroy();
      stampProcessing(response, startedMs);
      sendError(response, error);
    }
  }

  const active = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    // No request may end the process: one that fails even to be refused ends its connection.
    const routed = route(request, response, `req_${randomUUID().replaceAll("-", "")}`).catch(() => {
      response.destroy();
    });
    active.add(routed);
    void routed.finally(() => active.delete(routed));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");

  async function close(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    await Promise.all(active);
  }
  return { url: `http://127.0.0.1:${address.port}`, apiKey, close };
}

/** `GET /v1/models` and `GET /v1/models/{id}`. @throws OpenAIError 404 or 405 */
function modelsAt(method: string, path: string, now: Date): object {
  const [, id] = /^\/v1\/models(?:\/([^/]+))?$/.exec(path) ?? [null, null];
  if (id === null) throw openAIError(404, `Invalid URL (${method} ${path})`);
  allow("GET", method, path);
  if (id !== undefined) return modelObject(decoded(id), now);
  return modelList(now);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
