import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostileNames, hostileRequests, sendRaw, watchProcess } from "../hostile.ts";
import { ECHO, route, startApi } from "./api.ts";

let api: Awaited<ReturnType<typeof startApi>>;
const watched = watchProcess();

beforeAll(async () => {
  api = await startApi(
    { echo: ECHO },
    {
      routes: [route("ANY /health", "echo"), route("GET /results/{id}", "echo"), route("GET /files/{proxy+}", "echo")],
    },
    { lambda: { drainTimeoutMs: 0 } },
  );
});

afterAll(async () => {
  watched.stop();
  await api.stop();
});

describe("a request that nobody should send", () => {
  it.each(Object.entries(hostileRequests("/health")))("leaves the API alive: %s", async (_, bytes) => {
    await sendRaw(api.url, bytes);
    expect((await api.fetch("/health")).status).toBe(200);
    expect(watched.fatal).toEqual([]);
  });

  it.each(["constructor", "__proto__", "toString"])("hands the query parameter %s to the function", async (name) => {
    const event = JSON.parse(await (await api.fetch(`/health?${name}=1&${name}=2`)).text());
    expect(Object.entries(event.queryStringParameters)).toEqual([[name, "2"]]);
    expect(Object.entries(event.multiValueQueryStringParameters)).toEqual([[name, ["1", "2"]]]);
  });

  it.each(["constructor", "__proto__", "tostring"])("hands the header %s to the function", async (name) => {
    const answer = await sendRaw(
      api.url,
      `GET /health HTTP/1.1\r\nHost: x\r\n${name}: 1\r\n${name}: 2\r\nConnection: close\r\n\r\n`,
    );
    const { headers, multiValueHeaders } = JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1));
    expect(Object.entries(headers)).toContainEqual([name, "2"]);
    expect(Object.entries(multiValueHeaders)).toContainEqual([name, ["1", "2"]]);
  });

  it.each(hostileNames)("hands %s in a path to the function as what it is", async (name) => {
    const plain = (text: string) => {
      try {
        return decodeURIComponent(text);
      } catch {
        return text;
      }
    };
    for (const [path, parameter] of [
      ["results", "id"],
      ["files", "proxy"],
    ] as const) {
      const answer = await sendRaw(api.url, `GET /${path}/${name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      const event = JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1));
      expect(event.pathParameters).toEqual({ [parameter]: plain(name) });
    }
  });
});
