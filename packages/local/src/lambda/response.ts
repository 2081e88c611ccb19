import { Readable } from "node:stream";
import { BUFFERED_RESPONSE_LIMIT_BYTES, STREAMED_RESPONSE_LIMIT_BYTES } from "./limits.ts";

/** What an execution environment hands a function's response to, piece by piece. */
export interface ResponseSink {
  /** The most that this sink takes of a response that the runtime streams, or sends whole. */
  limitBytes(streamed: boolean): number;
  /** Takes the next bytes. `resume` is called once more may come; false says to wait for that. */
  write(chunk: Buffer, resume: () => void): boolean;
  end(): void;
  fail(error: Error): void;
}

/** The metadata that a function gives to `HttpResponseStream.from`, and the body that follows it. */
export interface StreamedResponse {
  statusCode: number;
  headers: Record<string, string>;
  multiValueHeaders?: Record<string, string[]>;
  cookies?: string[];
  /** Destroying it lets the function go on unheard; it fails with a `FunctionError` when the function does. */
  body: Readable;
}

/** Collects the whole response, as Invoke does. */
export function bufferedResponse(): { sink: ResponseSink; payload: Promise<string> } {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  return {
    payload: promise,
    sink: {
      limitBytes: () => BUFFERED_RESPONSE_LIMIT_BYTES,
      write: (chunk) => chunks.push(chunk) > 0,
      end: () => resolve(Buffer.concat(chunks).toString()),
      fail: reject,
    },
  };
}

const DELIMITER = Buffer.alloc(8);

/**
 * The metadata and its delimiter must come within the first 16 KB.
 * Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html, November 2026.
 */
const METADATA_LIMIT_BYTES = 16 * 1024;

/**
 * Parses the metadata as soon as it is there and passes on every byte after it as it comes, as InvokeWithResponseStream
 * does for API Gateway. Rejects when the function does not answer in the form of `HttpResponseStream.from`.
 */
export function streamedResponse(): { sink: ResponseSink; response: Promise<StreamedResponse> } {
  const { promise, resolve, reject } = Promise.withResolvers<StreamedResponse>();
  let head: Buffer = Buffer.alloc(0);
  let malformed = false;
  let body: Readable | null = null;

  const refuse = (why: string) => {
    malformed = true;
    reject(new Error(`${why}: answer with awslambda.streamifyResponse and HttpResponseStream.from(stream, metadata)`));
  };
  const openBody = (resume: () => void) =>
    new Readable({
      read: resume,
      destroy(error, callback) {
        resume();
        callback(error);
      },
      // A failure with which nobody reads any more is nobody's.
    }).on("error", () => {});
  const writeHead = (chunk: Buffer, resume: () => void) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf(DELIMITER);
    if (end > METADATA_LIMIT_BYTES || (end < 0 && head.length > METADATA_LIMIT_BYTES)) {
      refuse("the response has no metadata in its first 16 KB");
    }
    if (end < 0 || malformed) return true;
    const metadata = parseMetadata(head.subarray(0, end).toString());
    if (metadata === null) {
      refuse("the response's metadata is not {statusCode, headers} in JSON");
      return true;
    }
    body = openBody(resume);
    resolve({ ...metadata, body });
    const rest = head.subarray(end + DELIMITER.length);
    return rest.length === 0 || body.push(rest);
  };

  return {
    response: promise,
    sink: {
      limitBytes: (streamed) => (streamed ? STREAMED_RESPONSE_LIMIT_BYTES : BUFFERED_RESPONSE_LIMIT_BYTES),
      write: (chunk, resume) => {
        if (body === null) return malformed || writeHead(chunk, resume);
        return body.destroyed || body.push(chunk);
      },
      end: () => {
        if (body === null) refuse("the response ended before its metadata did");
        else body.push(null);
      },
      fail: (error) => {
        if (body === null) reject(error);
        else body.destroy(error);
      },
    },
  };
}

function parseMetadata(text: string): Omit<StreamedResponse, "body"> | null {
  try {
    const { statusCode = 200, headers = {}, multiValueHeaders, cookies } = JSON.parse(text);
    return { statusCode, headers, multiValueHeaders, cookies };
  } catch {
    return null;
  }
}
