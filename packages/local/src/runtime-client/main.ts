/**
 * Lambda's Node.js runtime, as far as a bundle can tell: runs inside an execution environment, loads the handler and takes one
 * invocation after the other from the Runtime API. It is small and starts without compiling anything; `aws-lambda-ric`,
 * Amazon's own, can stand in its place, and `npm run test:ric` holds the two to the same tests.
 *
 * What nobody catches ends the process with exit status 1, by Node.js's own rules, as in Amazon's from Node.js 24 on.
 */
import { InvokeStore, InvokeStoreBase } from "@aws/lambda-invoke-store";
import { patchConsole } from "./console.ts";
import { type Context, createContext } from "./context.ts";
import { runtimeError } from "./error.ts";
import { type Handler, loadHandler } from "./handler.ts";
import { awslambda, isStreaming, openResponseStream } from "./response-stream.ts";
import { runtimeApi } from "./runtime-api.ts";

const { AWS_LAMBDA_RUNTIME_API = "", LAMBDA_TASK_ROOT = "", _HANDLER = "" } = process.env;
const api = runtimeApi(AWS_LAMBDA_RUNTIME_API);
// The store joins the global `awslambda`, where the AWS SDK in the bundle looks for the trace.
const store = await InvokeStore.getInstanceAsync();
Object.assign(globalThis, { awslambda: { InvokeStore: store, ...awslambda } });
const logError = patchConsole(store, process.env);

const handler = await loadHandler(LAMBDA_TASK_ROOT, _HANDLER).catch(async (error: unknown) => {
  logError("Init Error", error);
  await api.failInit(error);
  throw error;
});
const handle = isStreaming(handler) ? stream : respond;
for (;;) {
  const { headers, body } = await api.next();
  const context = createContext(headers, process.env);
  process.env._X_AMZN_TRACE_ID = context.xRayTraceId;
  const { REQUEST_ID, X_RAY_TRACE_ID } = InvokeStoreBase.PROTECTED_KEYS;
  const invocation = { [REQUEST_ID]: context.awsRequestId, [X_RAY_TRACE_ID]: context.xRayTraceId };
  await store.run(invocation, () => handle(handler, JSON.parse(body), context));
}

async function respond(handler: Handler, event: unknown, context: Context) {
  let body: string;
  try {
    const result = await handler(event, context);
    body = stringify(result);
  } catch (error) {
    logError("Invoke Error", error);
    return api.fail(context.awsRequestId, error);
  }
  return api.respond(context.awsRequestId, body);
}

async function stream(handler: Handler, event: unknown, context: Context) {
  const response = openResponseStream(api, context.awsRequestId);
  try {
    const running = handler(event, response.stream, context);
    if (!isPromise(running)) throw new Error("Streaming does not support non-async handlers.");
    if ((await running) !== undefined)
      console.warn("What a streaming handler returns is ignored: it writes its response to the stream.");
    await response.answered;
  } catch (error) {
    logError("Invoke Error", error);
    await response.fail(error);
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function stringify(result: unknown): string {
  try {
    return JSON.stringify(result) ?? "null";
  } catch {
    throw runtimeError("Runtime.JSONStringifyError", "Unable to stringify response body");
  }
}
