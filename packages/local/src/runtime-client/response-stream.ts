import type { ClientRequest } from "node:http";
import { Writable } from "node:stream";
import { formatError, runtimeError } from "./error.ts";
import type { RuntimeApi } from "./runtime-api.ts";

const METADATA_CONTENT_TYPE = "application/vnd.awslambda.http-integration-response";
const DELIMITER = new Uint8Array(8);
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");

/** The stream that a streaming handler writes its response to. */
export interface ResponseStream extends Writable {
  setContentType(contentType: string): void;
  /** Set by `HttpResponseStream.from`, which the runtime's own clients share this name with. */
  _onBeforeFirstWrite?: (write: (chunk: string | Uint8Array) => void) => void;
}

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
  const writable = new Writable({
    write: (chunk: Buffer, _encoding, callback) => writeTo(request, chunk, callback),
    final(callback) {
      request.end();
      answered.then(() => callback(), callback);
    },
  });
  const write = writable.write.bind(writable);
  const stream: ResponseStream = Object.assign(writable, {
    // The rest is encoding and callback, in all their forms.
    write(chunk: unknown, ...rest: []) {
      if (!begun) {
        begun = true;
        stream._onBeforeFirstWrite?.((head) => void write(head));
      }
      return write(typeof chunk === "string" || chunk instanceof Uint8Array ? chunk : JSON.stringify(chunk), ...rest);
    },
    setContentType(contentType: string) {
      if (begun) throw runtimeError("Runtime.InvalidStreamingOperation", "Cannot set content-type, too late.");
      request.setHeader("Content-Type", contentType);
    },
  });
  // What the handler does with a failed stream is its own affair; the runtime sees the failure in `answered`.
  stream.on("error", () => {});
  return {
    stream,
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

/** Waits for the reader where it is slow, so that the handler's own `write` answers false. */
function writeTo(request: ClientRequest, chunk: Buffer, callback: () => void) {
  if (request.write(chunk)) callback();
  else request.once("drain", callback);
}
