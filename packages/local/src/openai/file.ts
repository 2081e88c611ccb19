import { badRequest, openAIError } from "./error.ts";
import { closedObjectAt, type Fields, optional, stringAt } from "./parameter.ts";

/** A PDF in a message. OpenAI gives the model each page as a picture. */
export interface FilePart {
  type: "file";
  pages: number;
  /** Equal for equal files: what the prompt cache compares. */
  fingerprint: number;
}

/** A page as a picture. OpenAI publishes no size for it: this is US Letter at 96 dots an inch. */
export const PAGE = { width: 816, height: 1056, detail: "high" } as const;

/** OpenAI's guide to PDF files: 50 MB a request. */
const MAX_FILE_BYTES = 50 * 1024 * 1024;

/** @throws OpenAIError 400, or 404 for a `file_id`: nothing can be uploaded here */
export function filePartAt(value: unknown, path: string): FilePart {
  const file: Fields = closedObjectAt(value, path, ["file_data", "file_id", "filename"]);
  optional(file.filename, (name) => stringAt(name, `${path}.filename`));
  const id = optional(file.file_id, (given) => stringAt(given, `${path}.file_id`, { min: 1 }));
  const data = optional(file.file_data, (given) => stringAt(given, `${path}.file_data`, { min: 1 }));
  if (id !== null && data !== null)
    throw badRequest(
      `Mutually exclusive parameters: '${path}'. Provide either 'file_id' or 'file_data', not both.`,
      path,
      "mutually_exclusive_parameters",
    );
  if (id !== null) throw openAIError(404, `No such File object: ${id}`, { param: "id" });
  if (data === null)
    throw badRequest(`Missing required parameter: '${path}.file_id'.`, `${path}.file_id`, "missing_required_parameter");
  const bytes = decode(data, `${path}.file_data`);
  return {
    type: "file",
    pages: Math.max(1, pagesOf(bytes)),
    fingerprint: bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 16_777_619), bytes.length),
  };
}

function decode(data: string, path: string): Buffer {
  const [, mime, payload = ""] = /^data:([^;,]*)(?:;[^;,]*)*?;base64,(.*)$/s.exec(data) ?? [];
  if (mime !== undefined && mime !== "application/pdf") throw notAPdf(path, `unsupported MIME type '${mime}'`);
  if (mime === undefined || payload.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(payload))
    throw notAPdf(path, "an invalid base64-encoded value");
  const bytes = Buffer.from(payload, "base64");
  if (bytes.length > MAX_FILE_BYTES)
    throw badRequest(`Invalid '${path}': the file is larger than 50 MB.`, path, "file_above_max_size");
  // Readers look for the header in the first 1,024 bytes.
  if (!bytes.subarray(0, 1024).includes("%PDF-"))
    throw badRequest(
      "The file could not be processed. Please make sure that it is a valid PDF.",
      path,
      "invalid_value",
    );
  return bytes;
}

/** In the words of trpc-group/trpc-agent-go#1816 (2026-05). */
function notAPdf(path: string, got: string) {
  return badRequest(
    `Invalid file data: '${path}'. Expected a base64-encoded data URL with an application/pdf MIME type (e.g. 'data:application/pdf;base64,SGVsbG8sIFdvcmxkIQ=='), but got ${got}.`,
    path,
    "invalid_value",
  );
}

/** Its page objects; those inside compressed object streams are not seen. */
function pagesOf(bytes: Buffer): number {
  return bytes.toString("latin1").match(/\/Type\s*\/Page(?![A-Za-z])/g)?.length ?? 0;
}
