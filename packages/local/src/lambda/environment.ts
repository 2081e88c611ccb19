import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { FunctionError, platformError } from "./error.ts";
import { INIT_TIMEOUT_MS } from "./limits.ts";
import type { OrphanGuard } from "./orphans.ts";
import { type FunctionConfiguration, startRuntimeProcess } from "./process.ts";
import type { ResponseSink } from "./response.ts";
import { type NextInvocation, startRuntimeApi } from "./runtime-api.ts";

/** `source` is `platform` for Lambda's own START, END and REPORT lines; `requestId` is null during init. */
export type LambdaLog = (
  functionName: string,
  requestId: string | null,
  line: string,
  source: "function" | "platform",
) => void;

export interface Invocation {
  requestId: string;
  payload: string;
  sink: ResponseSink;
}

interface RunningInvocation extends Invocation {
  traceId: string;
  /** Null until the runtime has taken it. */
  takenAtMs: number | null;
  timeout: NodeJS.Timeout | null;
  answered: boolean;
  failure: FunctionError | null;
}

/**
 * One execution environment: a process, and the Runtime API that it speaks.
 *
 *   invoke ─→ init ─→ /next ─→ handler ─→ /response or /error ─→ /next (idle) ─→ invoke …
 *              │                  │                 │
 *              └ /init/error      └ time-out, crash └ crash               ─→ exit
 *
 * An invocation is over when it is answered and the runtime asks for the next one, or when the runtime is gone.
 */
export interface Environment {
  /** Takes one invocation at a time. */
  invoke(invocation: Invocation): void;
  kill(): void;
  /** Ends it as Lambda does when an invocation takes too long. */
  timeOut(): void;
  /** Of the invocation that it is at work on. */
  traceId(): string | null;
  /** The function has been loaded, or never will be. */
  initialized: Promise<void>;
  exited: Promise<void>;
}

export function createEnvironment(options: {
  configuration: FunctionConfiguration;
  orphans: OrphanGuard;
  log: LambdaLog;
  onIdle(environment: Environment): void;
}): Environment {
  const { configuration, log, orphans } = options;
  const { name, spec } = configuration;
  const timeoutMs = spec.timeoutSeconds * 1000;
  const { promise: exited, resolve: resolveExited } = Promise.withResolvers<void>();
  const { promise: initialized, resolve: resolveInitialized } = Promise.withResolvers<void>();
  exited.then(resolveInitialized);
  const createdAtMs = performance.now();
  let runtime: ReturnType<typeof startRuntimeProcess> | null = null;
  let killed = false;
  let initDurationMs: number | null = null;
  let initReported = false;
  let initFailure: FunctionError | null = null;
  let current: RunningInvocation | null = null;
  let lastRequestId: string | null = null;
  let hand: ((next: NextInvocation) => void) | null = null;

  const kill = () => {
    killed = true;
    runtime?.kill();
  };
  const timeOut = () => {
    const seconds = Math.max(timeoutMs, initDurationMs === null ? INIT_TIMEOUT_MS : 0) / 1000;
    const message = `Task timed out after ${seconds.toFixed(2)} seconds`;
    log(name, current?.requestId ?? null, `${new Date().toISOString()} ${current?.requestId} ${message}`, "platform");
    const failure = platformError("Sandbox.Timedout", `RequestId: ${current?.requestId} Error: ${message}`);
    if (current !== null && !current.answered) current.failure ??= failure;
    kill();
  };
  const initTimeout = setTimeout(timeOut, Math.max(timeoutMs, INIT_TIMEOUT_MS));

  const handOver = () => {
    if (current === null || hand === null) return;
    const { requestId, payload, traceId } = current;
    lastRequestId = requestId;
    log(name, requestId, `START RequestId: ${requestId} Version: ${"$LATEST"}`, "platform");
    current.takenAtMs = performance.now();
    current.timeout = setTimeout(timeOut, timeoutMs);
    const deadlineMs = Date.now() + timeoutMs;
    hand({ requestId, payload, deadlineMs, functionArn: configuration.arn, traceId });
    hand = null;
  };

  const report = ({ requestId, takenAtMs, failure }: RunningInvocation) => {
    log(name, requestId, `END RequestId: ${requestId}`, "platform");
    const durationMs = takenAtMs === null ? 0 : performance.now() - takenAtMs;
    const memoryMb = runtime?.maxMemoryUsedMb() ?? null;
    const fields = [
      `REPORT RequestId: ${requestId}`,
      `Duration: ${durationMs.toFixed(2)} ms`,
      `Billed Duration: ${Math.ceil(durationMs + (initReported ? 0 : (initDurationMs ?? 0)))} ms`,
      `Memory Size: ${spec.memoryMb} MB`,
      ...(memoryMb === null ? [] : [`Max Memory Used: ${memoryMb} MB`]),
      ...(initReported || initDurationMs === null ? [] : [`Init Duration: ${initDurationMs.toFixed(2)} ms`]),
      ...(failure === null ? [] : [`Status: ${failure.errorType === "Sandbox.Timedout" ? "timeout" : "error"}`]),
      ...(failure === null ? [] : [`Error Type: ${failure.errorType}`]),
    ];
    initReported = true;
    log(name, requestId, fields.join("\t"), "platform");
  };

  const finish = (invocation: RunningInvocation) => {
    current = null;
    if (invocation.timeout !== null) clearTimeout(invocation.timeout);
    report(invocation);
    if (invocation.failure === null) invocation.sink.end();
    else invocation.sink.fail(invocation.failure);
  };

  /** A runtime may ask for the next invocation before the last bytes of its response are here: both must have come. */
  const finishIfOver = () => {
    if (hand === null || current === null || current.takenAtMs === null) return;
    if (!current.answered && current.failure === null) return;
    finish(current);
    if (!killed) options.onIdle(environment);
  };

  const onExit = (reason: string) => {
    clearTimeout(initTimeout);
    killed = true;
    api.then(({ close }) => close());
    if (current !== null) {
      const message = `RequestId: ${current.requestId} Error: ${reason}`;
      if (!current.answered) current.failure ??= initFailure ?? platformError("Runtime.ExitError", message);
      finish(current);
    }
    resolveExited();
  };

  const api = startRuntimeApi({
    async next() {
      // What the function has printed so far waits in its pipes: read that first, while its invocation is the current one.
      await nextTurn();
      clearTimeout(initTimeout);
      initDurationMs ??= performance.now() - createdAtMs;
      resolveInitialized();
      return new Promise((resolve) => {
        hand = resolve;
        finishIfOver();
        handOver();
      });
    },
    async respond(requestId, response) {
      if (current?.requestId !== requestId || current.answered) return drain(response);
      const outcome = await pass(current, response);
      finishIfOver();
      return outcome;
    },
    fail(requestId, errorType, body) {
      if (current?.requestId !== requestId || current.answered) return "unknown";
      current.failure ??= new FunctionError(errorType, body);
      finishIfOver();
      return "accepted";
    },
    failInit(errorType, body) {
      initFailure = new FunctionError(errorType, body);
      const durationMs = (performance.now() - createdAtMs).toFixed(2);
      const fields = [`INIT_REPORT Init Duration: ${durationMs} ms`, "Phase: init", "Status: error"];
      log(name, null, [...fields, `Error Type: ${errorType}`].join("\t"), "platform");
    },
  });

  api.then(
    ({ address }) => {
      if (killed) return onExit("Runtime was stopped before it began");
      runtime = startRuntimeProcess({
        configuration,
        runtimeApiAddress: address,
        orphans,
        onLine: (line) => log(name, current?.takenAtMs ? current.requestId : lastRequestId, line, "function"),
        onExit,
      });
    },
    (error: Error) => onExit(error.message),
  );

  const environment: Environment = {
    invoke(invocation) {
      const traceId = newTraceId();
      current = { ...invocation, traceId, takenAtMs: null, timeout: null, answered: false, failure: null };
      handOver();
    },
    kill,
    timeOut,
    traceId: () => current?.traceId ?? null,
    initialized,
    exited,
  };
  return environment;
}

/** Passes the response on to the invocation's sink and notes how it ended. */
async function pass(invocation: RunningInvocation, response: IncomingMessage): Promise<"accepted" | "too large"> {
  const streamed = response.headers["lambda-runtime-function-response-mode"] === "streaming";
  const limitBytes = invocation.sink.limitBytes(streamed);
  const resume = () => void response.resume();
  let sizeBytes = 0;
  response.on("data", (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes <= limitBytes && !invocation.sink.write(chunk, resume)) response.pause();
  });
  await new Promise((resolve, reject) => response.once("end", resolve).once("error", reject));
  if (sizeBytes > limitBytes) {
    const message = `Response payload size exceeded maximum allowed payload size (${limitBytes} bytes).`;
    invocation.failure ??= platformError("Function.ResponseSizeTooLarge", message);
    return "too large";
  }
  const errorType = response.trailers["lambda-runtime-function-error-type"];
  const errorBody = response.trailers["lambda-runtime-function-error-body"] ?? "";
  if (errorType !== undefined) {
    invocation.failure ??= new FunctionError(errorType, Buffer.from(errorBody, "base64").toString());
  }
  invocation.answered = true;
  return "accepted";
}

async function drain(response: IncomingMessage): Promise<"unknown"> {
  response.resume();
  await new Promise((resolve, reject) => response.once("end", resolve).once("error", reject));
  return "unknown";
}

/** X-Ray's header, never sampled. */
function newTraceId(): string {
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  return `Root=1-${seconds}-${randomBytes(12).toString("hex")};Parent=${randomBytes(8).toString("hex")};Sampled=0`;
}
