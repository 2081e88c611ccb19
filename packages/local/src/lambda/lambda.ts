import { randomUUID } from "node:crypto";
import type { Bundle } from "../bundle.ts";
import { createEnvironment, type Environment, type LambdaLog } from "./environment.ts";
import { FunctionError, LambdaServiceException } from "./error.ts";
import { REQUEST_LIMIT_BYTES } from "./limits.ts";
import { guardAgainstOrphans } from "./orphans.ts";
import { createPool, type Pool } from "./pool.ts";
import type { FunctionConfiguration } from "./process.ts";
import { bufferedResponse, type ResponseSink, type StreamedResponse, streamedResponse } from "./response.ts";

/** Invoke's answer: the handler's result, or how it failed, as JSON text. */
export type InvokeResult =
  | { ok: true; payload: string }
  | { ok: false; functionError: FunctionError["functionError"]; payload: string };

export interface Lambda {
  /**
   * Invokes a function and waits for its whole answer. Aborting `signal` ends the wait, not the function.
   *
   * @throws LambdaServiceException `ResourceNotFoundException`, `RequestTooLargeException` over 6 MB,
   *   `TooManyRequestsException` when every environment is busy, `ServiceException` after `stop`
   */
  invoke(name: string, event: unknown, options?: { signal?: AbortSignal }): Promise<InvokeResult>;
  /**
   * Invokes a function and resolves with the first bytes of its answer, in the form of `HttpResponseStream.from`.
   * Aborting `signal` ends the wait, or the body if it has begun, but not the function.
   *
   * @throws FunctionError when the function fails before that; LambdaServiceException as `invoke`
   */
  invokeStreaming(name: string, event: unknown, options?: { signal?: AbortSignal }): Promise<StreamedResponse>;
  /**
   * Ends the environment that is at work on an invocation, as a crash or its time-out does; without a trace id, every
   * environment of the function.
   */
  end(name: string, traceId: string | null, how: "kill" | "time-out"): void;
  /**
   * Gives a function other code. An invocation that has an environment ends with the old code; the next one starts an environment
   * with the new. Resolves when the last environment with the old code has ended.
   */
  replace(name: string, bundle: Bundle): Promise<void>;
  /** Whether a function has environments: it is at work, or was within `idleTimeoutMs`. */
  isInUse(name: string): boolean;
  /** Lets running invocations end for `drainTimeoutMs`, then kills every environment. */
  stop(): Promise<void>;
}

export interface LambdaOptions {
  functions: Record<
    string,
    {
      spec: FunctionConfiguration["spec"];
      bundle: Bundle;
      /** Complete: what the function declares, its links, credentials and endpoints. It sees no other variables. */
      environment: Record<string, string>;
    }
  >;
  region: string;
  accountId: string;
  log: LambdaLog;
  /** Invocations that one function may have at a time; the next is throttled. 1,000 as in a new AWS account. */
  concurrency?: number;
  /** Environments that one function may have at a time: more invocations wait, as a laptop is smaller than AWS. */
  maxEnvironments?: number;
  /** How long an environment without work is kept. */
  idleTimeoutMs?: number;
  /** How long `stop` waits for running invocations. */
  drainTimeoutMs?: number;
  /** The script that runs in the environments: of `buildRuntimeClient`, or the `index.mjs` of `aws-lambda-ric`. */
  runtimeClient: string;
}

/** Runs functions as Lambda does: each environment is a process of its own, with one invocation at a time. */
export async function startLambda(options: LambdaOptions): Promise<Lambda> {
  const { concurrency = 1_000, maxEnvironments = 50, idleTimeoutMs = 5 * 60_000, drainTimeoutMs = 5_000 } = options;
  const orphans = guardAgainstOrphans();
  const pools = new Map<string, Pool>();
  const bundles = new Map<string, Bundle>();
  const running = new Set<Promise<unknown>>();
  let stopped = false;

  for (const [name, definition] of Object.entries(options.functions)) {
    const arn = `arn:aws:lambda:${options.region}:${options.accountId}:function:${name}`;
    bundles.set(name, definition.bundle);
    const start = (onIdle: (environment: Environment) => void) => {
      const { spec, environment } = definition;
      const bundle = bundles.get(name) ?? definition.bundle;
      const { region, runtimeClient } = options;
      const configuration = { name, arn, region, runtimeClient, spec, environment, bundle };
      return createEnvironment({ configuration, orphans, log: options.log, onIdle });
    };
    pools.set(name, createPool({ start, concurrency, maxEnvironments, idleTimeoutMs }));
  }

  const begin = (name: string, event: unknown, sink: ResponseSink) => {
    const pool = pools.get(name);
    if (stopped) throw new LambdaServiceException("ServiceException", 500, "The local Lambda service has stopped");
    if (pool === undefined) {
      throw new LambdaServiceException("ResourceNotFoundException", 404, `Function not found: ${name}`);
    }
    const payload = JSON.stringify(event);
    if (Buffer.byteLength(payload) > REQUEST_LIMIT_BYTES) {
      const message = `Request must be smaller than ${REQUEST_LIMIT_BYTES} bytes for the InvokeFunction operation`;
      throw new LambdaServiceException("RequestTooLargeException", 413, message);
    }
    const { promise: over, resolve } = Promise.withResolvers<void>();
    pool.run({ requestId: randomUUID(), payload, sink: whenOver(sink, resolve) });
    running.add(over);
    over.then(() => running.delete(over));
  };

  return {
    async invoke(name, event, { signal } = {}) {
      const { sink, payload } = bufferedResponse();
      begin(name, event, sink);
      const result = payload.then(
        (payload): InvokeResult => ({ ok: true, payload }),
        (error: unknown): InvokeResult => {
          if (!(error instanceof FunctionError)) throw error;
          return { ok: false, functionError: error.functionError, payload: error.payload };
        },
      );
      return untilAborted(result, signal);
    },
    async invokeStreaming(name, event, { signal } = {}) {
      const { sink, response } = streamedResponse();
      begin(name, event, sink);
      signal?.addEventListener("abort", () => response.then(({ body }) => body.destroy()).catch(() => {}));
      return untilAborted(response, signal);
    },
    end: (name, traceId, how) => pools.get(name)?.end(traceId, how),
    isInUse: (name) => pools.get(name)?.hasEnvironments() ?? false,
    async replace(name, bundle) {
      bundles.set(name, bundle);
      await pools.get(name)?.renew();
    },
    async stop() {
      stopped = true;
      const drained = new AbortController();
      const deadline = setTimeout(() => drained.abort(), drainTimeoutMs);
      await untilAborted(Promise.all(running), drained.signal).catch(() => {});
      clearTimeout(deadline);
      await Promise.all([...pools.values()].map((pool) => pool.stop()));
      await orphans.stop();
    },
  };
}

function whenOver(sink: ResponseSink, over: () => void): ResponseSink {
  return {
    ...sink,
    end: () => {
      over();
      sink.end();
    },
    fail: (error) => {
      over();
      sink.fail(error);
    },
  };
}

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", abort));
}
