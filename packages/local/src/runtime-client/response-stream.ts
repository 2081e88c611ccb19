import type { ClientRequest } from "node:http";
import { formatError, runtimeError } from "./error.ts";
import type { RuntimeApi } from "./runtime-api.ts";

const METADATA_CONTENT_TYPE = "application/vnd.awslambda.http-integration-response";
const DELIMITER = new Uint8Array(8);
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");

/** What Amazon's runtime shows of the request that carries a response, so that a handler finds neither more nor less here. */
const METHODS = [
  ...["write", "end", "cork", "uncork", "destroy"],
  ...[
    "on",
    "once",
    "off",
    "addListener",
    "prependListener",
    "prependOnceListener",
    "removeListener",
    "removeAllListeners",
  ],
  ...["emit", "eventNames", "listeners", "rawListeners", "listenerCount", "setMaxListeners", "getMaxListeners"],
] as const;
const STATES = [
  ...["writable", "writableEnded", "writableFinished", "writableNeedDrain", "writableLength", "writableCorked"],
  ...["writableHighWaterMark", "writableObjectMode", "destroyed"],
] as const;

/** The stream that a streaming handler writes its response to. */
export type ResponseStream = Pick<ClientRequest, (typeof METHODS)[number] | (typeof STATES)[number]> & {
  setContentType(contentType: string): void;
  /** Set by `HttpResponseStream.from`, which the runtime's own clients share this name with. */
  _onBeforeFirstWrite: ((write: (chunk: string | Uint8Array) => void) => void) | undefined;
};

/** The global `awslambda` of Lambda's Node runtimes. */
export const awslambda = {
  streamifyResponse<Handler extends object>(handler: Handler): Handler {
    return Object.assign(handler, { [STREAMING]: "response" });
  },
  HttpResponseStream: {
    /** Has the metadata (`{statusCode, headers}`) go before the first byte of the body. */
    from(stream: ResponseStream, metadata: unknown): ResponseStream {
      stream.setContentType(METADATA_CONTENT_TYPE);
      stream._onBeforeFirstWrite = (write) => {
        write(JSON.stringify(metadata));
        write(DELIMITER);
      };
      return stream;
    },
  },
};

export function isStreaming(handler: object): boolean {
  return STREAMING in handler && handler[STREAMING] === "response";
}

/**
 * Opens the response stream of one invocation. As in Amazon's runtime, only a call of `write` sends the metadata: a
 * response that knows nothing but `end` arrives without it, so that a handler which forgets this fails here too.
 */
export function openResponseStream(api: RuntimeApi, requestId: string) {
  const { request, answered } = api.stream(requestId);
  let begun = false;
  const stream = {
    ...Object.fromEntries(METHODS.map((name) => [name, request[name].bind(request)])),
    // The rest is encoding and callback, in all their forms.
    write(chunk: unknown, ...rest: []) {
      if (!begun) stream._onBeforeFirstWrite?.((head) => request.write(head));
      begun = true;
      return request.write(isBytes(chunk) ? chunk : JSON.stringify(chunk), ...rest);
    },
    setContentType(contentType: string) {
      if (begun) throw runtimeError("Runtime.InvalidStreamingOperation", "Cannot set content-type, too late.");
      request.setHeader("Content-Type", contentType);
    },
    _onBeforeFirstWrite: undefined,
  } as ResponseStream;
  for (const name of STATES) Object.defineProperty(stream, name, { get: () => request[name] });
  return {
    stream,
    /** Settles when the response was taken whole. */
    answered,
    /** Ends the response with the error in its trailers, whether or not the body has begun. */
    async fail(error: unknown) {
      const formatted = formatError(error);
      request.addTrailers({
        "Lambda-Runtime-Function-Error-Type": formatted.errorType,
        "Lambda-Runtime-Function-Error-Body": Buffer.from(JSON.stringify(formatted)).toString("base64"),
      });
      request.end();
      await answered;
    },
  };
}

const isBytes = (chunk: unknown): chunk is string | Uint8Array =>
  typeof chunk === "string" || chunk instanceof Uint8Array;
