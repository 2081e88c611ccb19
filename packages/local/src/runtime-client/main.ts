/**
 * Lambda's Node.js runtime, as far as a bundle can tell: runs inside an execution environment, loads the handler and
 * takes one invocation after the other from the Runtime API. `aws-lambda-ric` can stand in its place.
 */
import { type Context, createContext } from "./context.ts";
import { formatError, runtimeError } from "./error.ts";
import { type Handler, loadHandler } from "./handler.ts";
import { awslambda, isStreaming, openResponseStream } from "./response-stream.ts";
import { runtimeApi } from "./runtime-api.ts";

const { AWS_LAMBDA_RUNTIME_API = "", LAMBDA_TASK_ROOT = "", _HANDLER = "" } = process.env;
const api = runtimeApi(AWS_LAMBDA_RUNTIME_API);
let requestId: string | null = null;

process.on("uncaughtException", (error) => crash(error, 129));
process.on("unhandledRejection", (reason) => {
  const stack = reason instanceof Error ? reason.stack : undefined;
  crash(runtimeError("Runtime.UnhandledPromiseRejection", String(reason), stack), 128);
});
Object.assign(globalThis, { awslambda });
await run();

async function run() {
  let handler: Handler;
  try {
    handler = await loadHandler(LAMBDA_TASK_ROOT, _HANDLER);
  } catch (error) {
    return crash(error, 1);
  }
  for (;;) {
    // Without its environment a runtime has nothing to live for: this is how it goes when the stage does.
    const { headers, body } = await api.next().catch(() => process.exit(1));
    const context = createContext(headers, process.env);
    requestId = context.awsRequestId;
    process.env._X_AMZN_TRACE_ID = String(headers["lambda-runtime-trace-id"]);
    const handle = isStreaming(handler) ? stream : respond;
    await handle(handler, JSON.parse(body), context).catch(() => process.exit(1));
  }
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
    if (!(running instanceof Promise)) throw new Error("Streaming does not support non-async handlers.");
    await running;
    await response.answered;
  } catch (error) {
    logError("Invoke Error", error);
    await response.fail(error);
  }
}

function stringify(result: unknown): string {
  try {
    return JSON.stringify(result) ?? "null";
  } catch {
    throw runtimeError("Runtime.JSONStringifyError", "Unable to stringify response body");
  }
}

/** Reports what nobody caught and ends the environment, which cannot be trusted any more. */
async function crash(error: unknown, exitCode: number) {
  logError(requestId === null ? "Init Error" : "Invoke Error", error);
  await (requestId === null ? api.failInit(error) : api.fail(requestId, error)).catch(() => {});
  process.exit(exitCode);
}

function logError(title: string, error: unknown) {
  console.error(`${title} ${JSON.stringify(formatError(error))}`);
}
