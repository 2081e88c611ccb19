import { Agent, type ClientRequest, type IncomingHttpHeaders, request } from "node:http";
import { text } from "node:stream/consumers";
import { formatError } from "./error.ts";

const PREFIX = "/2018-06-01/runtime";

/**
 * Lambda's Runtime API, as the runtime calls it. Every call rejects when the execution environment is gone.
 *
 * @param address `AWS_LAMBDA_RUNTIME_API`: host and port
 */
export function runtimeApi(address: string) {
  const agent = new Agent({ keepAlive: true });

  const open = (method: string, path: string, headers: Record<string, string | string[]>) =>
    request(`http://${address}${PREFIX}${path}`, { method, headers, agent });

  const answerTo = (sent: ClientRequest) =>
    new Promise<{ headers: IncomingHttpHeaders; body: string }>((resolve, reject) => {
      sent.once("error", reject);
      sent.once("response", (response) => {
        text(response).then((body) => resolve({ headers: response.headers, body }), reject);
      });
    });

  const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const sent = open("POST", path, { "Content-Type": "application/json", ...headers });
    sent.end(body);
    await answerTo(sent);
  };

  const postError = (path: string, error: unknown) => {
    const formatted = formatError(error);
    return post(path, JSON.stringify(formatted), { "Lambda-Runtime-Function-Error-Type": formatted.errorType });
  };

  return {
    /** Waits for the next invocation, for as long as the environment is idle. */
    next() {
      const sent = open("GET", "/invocation/next", {});
      sent.end();
      return answerTo(sent);
    },
    respond: (requestId: string, body: string) => post(`/invocation/${requestId}/response`, body),
    fail: (requestId: string, error: unknown) => postError(`/invocation/${requestId}/error`, error),
    failInit: (error: unknown) => postError("/init/error", error),
    /** Opens a streamed response; nothing is sent before its first write. `answered` settles when it was taken whole. */
    stream(requestId: string) {
      const sent = open("POST", `/invocation/${requestId}/response`, {
        "Content-Type": "application/octet-stream",
        "Lambda-Runtime-Function-Response-Mode": "streaming",
        "Transfer-Encoding": "chunked",
        Trailer: ["Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"],
      });
      return { request: sent, answered: answerTo(sent) };
    },
  };
}

export type RuntimeApi = ReturnType<typeof runtimeApi>;
