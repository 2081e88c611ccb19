import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtimeClient } from "../../runtime-client.ts";
import { ACCOUNT_ID, REGION, startFunctions } from "./functions.ts";

let lambda: Awaited<ReturnType<typeof startFunctions>>;

beforeAll(async () => {
  lambda = await startFunctions({
    echo: {
      source: `declare const process: any; declare const awslambda: any;
        export const handler = async (event: any, context: any) => ({
          event, pid: process.pid, cwd: process.cwd(), script: process.argv[1], environment: process.env,
          context: { ...context, remainingMs: context.getRemainingTimeInMillis() }, contextKeys: Object.keys(context).sort(),
          timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone, offsetMinutes: new Date(0).getTimezoneOffset(),
          awslambda: Object.keys(awslambda).sort(),
          store: [awslambda.InvokeStore.getRequestId(), awslambda.InvokeStore.getXRayTraceId()],
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
    importsMissing: { source: `import "sharp"; export const handler = async () => {};` },
    requiresMissing: { source: `declare const require: any; require("sharp"); export const handler = async () => {};` },
    exits: {
      source: `declare const process: any;
        export const handler = async ({ code }: any) => { if (code === undefined) return process.pid; process.exit(code); };`,
    },
    exitsInInit: { source: "declare const process: any; process.exit(4); export const handler = async () => {};" },
    rejects: {
      source: `export const handler = async () => {
        Promise.reject(new Error("nobody waits for me"));
        await new Promise((resolve) => setTimeout(resolve, 10_000));
      };`,
    },
    throwsLater: {
      source: `export const handler = async () => {
        setTimeout(() => { throw new RangeError("nobody catches me"); });
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
      logGroupName: "/aws/lambda/echo",
    });
    expect(value.contextKeys).toEqual([
      ...["awsRequestId", "clientContext", "functionName", "functionVersion", "getRemainingTimeInMillis", "identity"],
      ...["invokedFunctionArn", "logGroupName", "logStreamName", "memoryLimitInMB", "tenantId", "xRayTraceId"],
    ]);
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
      AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
      AWS_LAMBDA_LOG_FORMAT: "JSON",
      AWS_LAMBDA_LOG_LEVEL: "INFO",
      LAMBDA_RUNTIME_DIR: path.dirname(value.script),
      LAMBDA_TASK_ROOT: value.cwd,
      TZ: ":UTC",
      _HANDLER: "bundle.handler",
    });
    const foreign = Object.keys(value.environment).filter(
      (name) => !/^(AWS_|LAMBDA_|_HANDLER$|_X_AMZN_|PATH$|LANG$|TZ$|GREETING$)/.test(name),
    );
    expect(foreign).toEqual([]);
  });

  it("runs in UTC, wherever the stage does", async () => {
    expect((await invoke("echo")).value).toMatchObject({ timeZone: "UTC", offsetMinutes: 0 });
  });

  it("has a trace, in the variable, in the context and where the AWS SDK looks for it", async () => {
    const { value } = await invoke("echo");
    const { awsRequestId, xRayTraceId } = value.context;
    expect(xRayTraceId).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/);
    expect(value.environment._X_AMZN_TRACE_ID).toBe(xRayTraceId);
    expect(value.awslambda).toEqual(["HttpResponseStream", "InvokeStore", "streamifyResponse"]);
    expect(value.store).toEqual([awsRequestId, xRayTraceId]);
  });

  it("runs under the runtime client that these tests are for", async () => {
    expect((await invoke("echo")).value.script).toMatch(runtimeClient ?? /runtime-client\.mjs$/);
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
      errorMessage: "bundle.handler is undefined or not exported",
    });
  });

  it("is told which module it requires and does not have", async () => {
    expect((await invoke("requiresMissing")).value).toMatchObject({
      errorType: "Runtime.ImportModuleError",
      errorMessage: expect.stringContaining("Cannot find module 'sharp'"),
    });
  });

  it("is told by Node.js itself which module it imports and does not have", async () => {
    expect((await invoke("importsMissing")).value).toMatchObject({
      errorType: "Error",
      errorMessage: expect.stringContaining("Cannot find package 'sharp'"),
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

  it("answers Runtime.ExitError when its process ends in its init", async () => {
    expect((await invoke("exitsInInit")).value).toEqual({
      errorType: "Runtime.ExitError",
      errorMessage: expect.stringMatching(/ Error: Runtime exited with error: exit status 4$/),
    });
  });

  it.each([
    ["rejects", "Error: nobody waits for me"],
    ["throwsLater", "RangeError: nobody catches me"],
  ])("ends with its process at an error that nobody handles (%s), which Node.js prints", async (name, printed) => {
    expect((await invoke(name)).value).toEqual({
      errorType: "Runtime.ExitError",
      errorMessage: expect.stringMatching(/ Error: Runtime exited with error: exit status 1$/),
    });
    const lines = lambda.lines.filter(({ functionName, source }) => functionName === name && source === "function");
    expect(lines.map(({ line }) => line)).toContain(printed);
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
    expect((await invoke("hungry")).value).toEqual({
      errorType: "Runtime.ExitError",
      errorMessage: expect.stringMatching(/ Error: Runtime exited with error: signal: aborted$/),
    });
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
