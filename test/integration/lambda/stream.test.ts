import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startFunctions } from "./functions.ts";

const AWSLAMBDA = "declare const awslambda: any; declare const process: any;";

let lambda: Awaited<ReturnType<typeof startFunctions>>;

beforeAll(async () => {
  lambda = await startFunctions({
    nothing: { source: "export const handler = async () => {};" },
    streams: {
      source: `${AWSLAMBDA}
        export const handler = awslambda.streamifyResponse(async (event: any, stream: any) => {
          stream = awslambda.HttpResponseStream.from(stream, event.metadata);
          for (const part of event.parts) stream.write(part);
          stream.end();
        });`,
    },
    failsMidway: {
      source: `${AWSLAMBDA}
        export const handler = awslambda.streamifyResponse(async (event: any, stream: any) => {
          stream = awslambda.HttpResponseStream.from(stream, { statusCode: 200 });
          stream.write("half of");
          throw new RangeError("no more");
        });`,
    },
    failsInit: {
      source: `${AWSLAMBDA} export const handler = awslambda.streamifyResponse(async () => {}); throw new TypeError("no configuration");`,
    },
    failsAtOnce: {
      source: `${AWSLAMBDA} export const handler = awslambda.streamifyResponse(async () => { throw new Error("at once"); });`,
    },
    neverEnds: {
      source: `${AWSLAMBDA} export const handler = awslambda.streamifyResponse(async (event: any, stream: any) => {
        awslambda.HttpResponseStream.from(stream, { statusCode: 200 }).write("open");
      });`,
      timeoutSeconds: 1,
    },
    endsOnly: {
      source: `${AWSLAMBDA} export const handler = awslambda.streamifyResponse(async (event: any, stream: any) => {
        awslambda.HttpResponseStream.from(stream, { statusCode: 204 }).end();
      });`,
    },
    endsWithBody: {
      source: `${AWSLAMBDA} export const handler = awslambda.streamifyResponse(async (event: any, stream: any) => {
        awslambda.HttpResponseStream.from(stream, { statusCode: 200 }).end("body");
      });`,
    },
    members: {
      source: `${AWSLAMBDA} export const handler = awslambda.streamifyResponse(async (event: any, stream: any) => {
        awslambda.HttpResponseStream.from(stream, { statusCode: 200 });
        stream.write(Object.getOwnPropertyNames(stream).sort());
        stream.end();
      });`,
    },
    setsContentTypeLate: {
      source: `${AWSLAMBDA} export const handler = awslambda.streamifyResponse(async (event: any, stream: any) => {
        awslambda.HttpResponseStream.from(stream, { statusCode: 200 }).write("a");
        stream.setContentType("text/plain");
      });`,
    },
    returns: {
      source: `${AWSLAMBDA} export const handler = awslambda.streamifyResponse(async (event: any, stream: any) => {
        stream = awslambda.HttpResponseStream.from(stream, { statusCode: 200 });
        stream.write("body");
        stream.end();
        return "ignored";
      });`,
    },
    waits: {
      source: `${AWSLAMBDA}
        export const handler = awslambda.streamifyResponse(async (event: any, stream: any) => {
          stream = awslambda.HttpResponseStream.from(stream, { statusCode: 200 });
          let waits = 0;
          for (let i = 0; i < 64; i++) {
            if (stream.write("x".repeat(256 * 1024))) continue;
            waits += 1;
            await new Promise((resolve) => stream.once("drain", resolve));
          }
          stream.end(String(waits > 0));
        });`,
    },
    notAsync: {
      source: `${AWSLAMBDA} export const handler = awslambda.streamifyResponse((event: any, stream: any) => { stream.write("x"); });`,
    },
  });
});
afterAll(() => lambda.stop());

it("has the metadata of HttpResponseStream.from and the bytes after it", async () => {
  const metadata = { statusCode: 201, headers: { "content-type": "text/plain" }, cookies: ["a=b"] };
  const { body, ...head } = await lambda.invokeStreaming("streams", { metadata, parts: ["one ", "\0two ", "drei"] });
  expect(head).toEqual(metadata);
  expect(await text(body)).toBe("one \0two drei");
});

it("passes on an empty body, if the handler wrote one", async () => {
  const { body } = await lambda.invokeStreaming("streams", { metadata: { statusCode: 204 }, parts: [""] });
  expect(await text(body)).toBe("");
});

it.each(["endsOnly", "endsWithBody"])("has no metadata when the handler never calls write (%s)", async (name) => {
  await expect(lambda.invokeStreaming(name, {})).rejects.toThrow("the response ended before its metadata did");
});

it("breaks off when the function fails midway", async () => {
  const { body } = await lambda.invokeStreaming("failsMidway", {});
  await expect(text(body)).rejects.toMatchObject({ errorType: "RangeError" });
});

it("rejects with the error of its init", async () => {
  await expect(lambda.invokeStreaming("failsInit", {})).rejects.toMatchObject({
    name: "FunctionError",
    errorType: "TypeError",
    payload: expect.stringContaining('"errorMessage":"no configuration"'),
  });
});

it("rejects when the function fails before its metadata", async () => {
  await expect(lambda.invokeStreaming("failsAtOnce", {})).rejects.toMatchObject({
    name: "FunctionError",
    errorType: "Error",
    payload: expect.stringContaining('"errorMessage":"at once"'),
  });
});

it("breaks off when the handler sets the content type after it has begun to write", async () => {
  const { body } = await lambda.invokeStreaming("setsContentTypeLate", {});
  await expect(text(body)).rejects.toMatchObject({ errorType: "Runtime.InvalidStreamingOperation" });
});

it("is what the handler wrote, whatever it returns, of which the log warns", async () => {
  const { body } = await lambda.invokeStreaming("returns", {});
  expect(await text(body)).toBe("body");
  const told = () =>
    lambda.lines.filter(({ functionName, source }) => functionName === "returns" && source === "function");
  await vi.waitUntil(() => told().length > 0, { timeout: 20_000 });
  expect(told().map(({ line }) => JSON.parse(line).level)).toEqual(["WARN"]);
});

it("has the handler wait while its reader is behind", async () => {
  const { body } = await lambda.invokeStreaming("waits", {});
  expect((await text(body)).replaceAll("x", "")).toBe("true");
});

it("is written to a stream that has neither more nor less than Amazon's", async () => {
  const { body } = await lambda.invokeStreaming("members", {});
  expect(JSON.parse(await text(body))).toEqual([
    ...["_onBeforeFirstWrite", "addListener", "cork", "destroy", "destroyed", "emit", "end", "eventNames"],
    ...["getMaxListeners", "listenerCount", "listeners", "off", "on", "once", "prependListener", "prependOnceListener"],
    ...[
      "rawListeners",
      "removeAllListeners",
      "removeListener",
      "setContentType",
      "setMaxListeners",
      "uncork",
      "writable",
    ],
    ...["writableCorked", "writableEnded", "writableFinished", "writableHighWaterMark", "writableLength"],
    ...["writableNeedDrain", "writableObjectMode", "write"],
  ]);
});

it("breaks off at the function's time-out when its handler never ends it", async () => {
  const { body } = await lambda.invokeStreaming("neverEnds", {});
  await expect(text(body)).rejects.toMatchObject({ errorType: "Sandbox.Timedout" });
});

it("is refused to a handler that is not async", async () => {
  await expect(lambda.invokeStreaming("notAsync", {})).rejects.toThrow("Streaming does not support non-async handlers");
});

it("rejects an answer that is not streamed, saying what to do", async () => {
  await expect(lambda.invokeStreaming("nothing", {})).rejects.toThrow("HttpResponseStream.from");
});

it("is collected by a buffered invocation as it stands", async () => {
  const { payload } = await lambda.invoke("streams", { metadata: { statusCode: 200 }, parts: ["body"] });
  expect(payload).toBe(`{"statusCode":200}${"\0".repeat(8)}body`);
});

it("leaves the function alone when its reader goes away", async () => {
  const parts = Array.from({ length: 40 }, () => "x".repeat(64 * 1024));
  const { body } = await lambda.invokeStreaming("streams", { metadata: { statusCode: 200 }, parts });
  body.destroy();
  const again = await lambda.invokeStreaming("streams", { metadata: { statusCode: 200 }, parts: ["still here"] });
  expect(await text(again.body)).toBe("still here");
});
