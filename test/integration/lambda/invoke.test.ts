import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ACCOUNT_ID, REGION, startFunctions } from "./functions.ts";

const AWSLAMBDA = "declare const awslambda: any; declare const process: any;";

let lambda: Awaited<ReturnType<typeof startFunctions>>;

beforeAll(async () => {
  lambda = await startFunctions({
    echo: {
      source: `declare const process: any;
        export const handler = async (event: any, context: any) => ({
          event, pid: process.pid, environment: process.env,
          context: { ...context, remainingMs: context.getRemainingTimeInMillis() },
        });`,
      environment: { GREETING: "hello", AWS_ACCESS_KEY_ID: "AKIAECHO" },
      timeoutSeconds: 12,
      memoryMb: 192,
    },
    nothing: { source: "export const handler = async () => {};" },
    circular: { source: "export const handler = async () => { const a: any = {}; a.a = a; return a; };" },
    throws: {
      source: `class TeapotError extends Error { name = "TeapotError"; }
        export const handler = async () => { throw new TeapotError("short and stout"); };`,
    },
    throwsText: { source: `export const handler = async () => { throw "just text"; };` },
    initError: { source: `throw new TypeError("no configuration"); export const handler = async () => {};` },
    noHandler: { source: "export const other = async () => {};" },
    callback: { source: "export const handler = (event: any, context: any, callback: any) => callback(null, 1);" },
    exits: {
      source: `declare const process: any;
        export const handler = async ({ code }: any) => { if (code === undefined) return process.pid; process.exit(code); };`,
    },
    rejects: {
      source: `export const handler = async () => {
        Promise.reject(new Error("nobody waits for me"));
        await new Promise((resolve) => setTimeout(resolve, 10_000));
      };`,
    },
    slow: {
      source: "export const handler = async () => new Promise((resolve) => setTimeout(resolve, 20_000));",
      timeoutSeconds: 1,
    },
    busy: { source: "export const handler = async () => { for (;;); };", timeoutSeconds: 1 },
    hungry: {
      source: `export const handler = async () => { const all: any[] = []; for (;;) all.push(new Array(100_000).fill({})); };`,
      memoryMb: 64,
    },
    large: { source: `export const handler = async ({ size }: any) => "x".repeat(size - 2);` },
    prints: {
      source: `export const handler = async ({ word }: any) => { console.log(word); console.error(word + "!"); };`,
    },
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
    notAsync: {
      source: `${AWSLAMBDA} export const handler = awslambda.streamifyResponse((event: any, stream: any) => { stream.write("x"); });`,
    },
  });
});
afterAll(() => lambda.stop());

async function invoke(name: string, event: unknown = {}) {
  const result = await lambda.invoke(name, event);
  return { ...result, value: JSON.parse(result.payload) };
}

describe("an invocation", () => {
  it("gives the handler its event and Lambda's context, and answers with what it returns", async () => {
    const { ok, value } = await invoke("echo", { question: "ünïcödé" });
    expect(ok).toBe(true);
    expect(value.event).toEqual({ question: "ünïcödé" });
    expect(value.context).toMatchObject({
      functionName: "echo",
      functionVersion: "$LATEST",
      memoryLimitInMB: "192",
      invokedFunctionArn: `arn:aws:lambda:${REGION}:${ACCOUNT_ID}:function:echo`,
      callbackWaitsForEmptyEventLoop: true,
    });
    expect(value.context.awsRequestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(value.context.remainingMs).toBeGreaterThan(0);
    expect(value.context.remainingMs).toBeLessThanOrEqual(12_000);
  });

  it("lets the function see its own environment and Lambda's variables, and nothing of the stage's", async () => {
    process.env.STAGE_SECRET = "not for functions";
    const { value } = await invoke("echo");
    delete process.env.STAGE_SECRET;
    expect(value.environment).toMatchObject({
      GREETING: "hello",
      AWS_ACCESS_KEY_ID: "AKIAECHO",
      AWS_REGION: REGION,
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "192",
      _HANDLER: "functions/echo.handler",
    });
    expect(value.environment._X_AMZN_TRACE_ID).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=/);
    const foreign = Object.keys(value.environment).filter(
      (name) => !/^(AWS_|LAMBDA_|_HANDLER$|_X_AMZN_|PATH$|LANG$|TZ$|GREETING$)/.test(name),
    );
    expect(foreign).toEqual([]);
  });

  it("answers null when the handler returns nothing", async () => {
    expect(await lambda.invoke("nothing", {})).toEqual({ ok: true, payload: "null" });
  });

  it("uses a warm environment again", async () => {
    const first = await invoke("echo");
    const second = await invoke("echo");
    expect(second.value.pid).toBe(first.value.pid);
    expect(second.value.context.awsRequestId).not.toBe(first.value.context.awsRequestId);
  });

  it("names a function that does not exist", async () => {
    await expect(lambda.invoke("absent", {})).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });
});

describe("a function that fails", () => {
  it("answers with the error's type, message and trace in terms of the source", async () => {
    const { ok, value } = await invoke("throws");
    expect(ok).toBe(false);
    expect(value).toMatchObject({ errorType: "TeapotError", errorMessage: "short and stout" });
    expect(value.trace.join("\n")).toContain("functions/throws.ts:2");
  });

  it("answers with the type of a thrown value that is no error", async () => {
    expect((await invoke("throwsText")).value).toEqual({ errorType: "string", errorMessage: "just text", trace: [] });
  });

  it("fails when its result is no JSON", async () => {
    expect((await invoke("circular")).value.errorType).toBe("Runtime.JSONStringifyError");
  });

  it("answers with the error of its init", async () => {
    expect((await invoke("initError")).value).toMatchObject({
      errorType: "TypeError",
      errorMessage: "no configuration",
    });
  });

  it("is told that its handler is not exported", async () => {
    expect((await invoke("noHandler")).value).toMatchObject({
      errorType: "Runtime.HandlerNotFound",
      errorMessage: "functions/noHandler.handler is undefined or not exported",
    });
  });

  it("is refused when its handler takes a callback, as nodejs24.x does", async () => {
    expect((await invoke("callback")).value.errorType).toBe("Runtime.CallbackHandlerDeprecated");
  });

  it("answers Runtime.ExitError when its process ends, and runs in a new one the next time", async () => {
    const before = await invoke("exits");
    const crash = await invoke("exits", { code: 3 });
    expect(crash.value.errorType).toBe("Runtime.ExitError");
    expect(crash.value.errorMessage).toMatch(/^RequestId: \S+ Error: Runtime exited with error: exit status 3$/);
    expect((await invoke("exits", { code: 0 })).value.errorMessage).toMatch(
      /Runtime exited without providing a reason$/,
    );
    expect((await invoke("exits")).value).not.toBe(before.value);
  });

  it("answers with a rejection that nobody handled", async () => {
    expect((await invoke("rejects")).value).toMatchObject({
      errorType: "Runtime.UnhandledPromiseRejection",
      errorMessage: "Error: nobody waits for me",
    });
  });

  it.each(["slow", "busy"])("is killed at its time-out (%s)", async (name) => {
    const { value } = await invoke(name);
    expect(value.errorType).toBe("Sandbox.Timedout");
    expect(value.errorMessage).toMatch(/^RequestId: \S+ Error: Task timed out after 1\.00 seconds$/);
    const report = lambda.lines.findLast(
      ({ functionName, line }) => functionName === name && line.startsWith("REPORT"),
    );
    expect(report?.line).toContain("Status: timeout");
  });

  it("is held to its memory", async () => {
    expect((await invoke("hungry")).value.errorType).toBe("Runtime.ExitError");
  });
});

describe("payload limits", () => {
  it("takes a request of 6 MB, and refuses one that is larger before any function runs", async () => {
    const event = (bytes: number) => ({ text: "x".repeat(bytes - JSON.stringify({ text: "" }).length) });
    expect((await lambda.invoke("nothing", event(6 * 1024 * 1024))).ok).toBe(true);
    await expect(lambda.invoke("nothing", event(6 * 1024 * 1024 + 1))).rejects.toMatchObject({
      name: "RequestTooLargeException",
      statusCode: 413,
    });
  });

  it("takes a response of 6 MB and fails one that is larger, without losing the environment", async () => {
    expect((await lambda.invoke("large", { size: 6 * 1024 * 1024 })).payload.length).toBe(6 * 1024 * 1024);
    const { ok, value } = await invoke("large", { size: 7 * 1024 * 1024 });
    expect(ok).toBe(false);
    expect(value).toEqual({
      errorType: "Function.ResponseSizeTooLarge",
      errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    });
    expect((await invoke("large", { size: 5 })).value).toBe("xxx");
  });
});

describe("the log", () => {
  it("has every line under its own invocation, between START and END", async () => {
    for (const word of ["first", "second", "third"]) await lambda.invoke("prints", { word });
    const lines = lambda.lines.filter(({ functionName }) => functionName === "prints");
    for (const word of ["first", "second", "third"]) {
      const { requestId } = lines.find(({ line }) => line === word) ?? {};
      const own = lines.filter((line) => line.requestId === requestId).map(({ line }) => line);
      expect(own[0]).toBe(`START RequestId: ${requestId} Version: $LATEST`);
      expect(own.slice(1, 3).sort()).toEqual([word, `${word}!`]);
      expect(own[3]).toBe(`END RequestId: ${requestId}`);
      expect(own[4]).toMatch(/\tDuration: [\d.]+ ms\t/);
      expect(own[4]?.includes("Init Duration")).toBe(word === "first");
    }
  });
});

describe("a streamed response", () => {
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

  it("rejects when the function fails before its metadata", async () => {
    await expect(lambda.invokeStreaming("failsAtOnce", {})).rejects.toMatchObject({ name: "FunctionError" });
  });

  it("breaks off at the function's time-out when its handler never ends it", async () => {
    const { body } = await lambda.invokeStreaming("neverEnds", {});
    await expect(text(body)).rejects.toMatchObject({ errorType: "Sandbox.Timedout" });
  });

  it("is refused to a handler that is not async", async () => {
    await expect(lambda.invokeStreaming("notAsync", {})).rejects.toThrow(
      "Streaming does not support non-async handlers",
    );
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
});
