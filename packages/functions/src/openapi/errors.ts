import { AppError, type ErrorCode } from "@tollgate/core/error";
import * as z from "zod";
import type { ZodOpenApiResponsesObject } from "zod-openapi";
import { requestId, retryAfter } from "./headers.ts";
import { errorBody } from "./responses.ts";

/** What each code tells the caller, and what to do about it. */
const meanings: Record<ErrorCode, string> = {
  invalid_request: "The request is not what this document allows; `param` names the field at fault.",
  invalid_schema: "OpenAI's strict mode could not keep to the JSON Schema; `param` is the path of the first problem.",
  invalid_range:
    "Nothing could lie between `from` and `to`, they lie too far apart, or the cursor belongs to another range.",
  invalid_image: "The image is damaged, is not base64, or OpenAI could not fetch or read it.",
  unsupported_image: "The image is of a format that OpenAI does not take.",
  upstream_rejected:
    "OpenAI refused the request for a reason that depends on the model or on values together: a parameter that the model " +
    "does not take, a `tool` message that answers no call. The message is OpenAI's.",
  invalid_api_key: "The key is missing, unknown or revoked.",
  budget_exceeded: "The key's budget of this month has no room for what the request can cost at most.",
  model_not_allowed: "The key may not use this model.",
  not_found: "There is none of this id or name, or it is not yours.",
  model_not_found:
    "OpenAI does not know the model, or the key may not use the one that `GET /v1/models/{model}` names.",
  in_progress: "The same request is being worked on. Ask again after `Retry-After`.",
  idempotency_mismatch: "The `Idempotency-Key` was used for another request.",
  image_too_large: "An image has more than 20 MB.",
  payload_too_large: "The request has more than 6 MB. Larger images go through `POST /uploads`.",
  rate_limited: "Too many requests, of this key, to this API or to OpenAI. Try again after `Retry-After`.",
  internal: "A fault of this service. Try again; the request id tells its operator where to look.",
  invalid_output: "OpenAI's answer was not what was asked for. It was billed, and its usage is kept with the result.",
  upstream_error: "OpenAI failed. Try again with the same `Idempotency-Key`.",
  upstream_quota: "This service's OpenAI account has no quota left: its operator has to act.",
  upstream_auth: "OpenAI does not accept this service's key: its operator has to act.",
  upstream_timeout: "OpenAI did not answer in time. Try again with the same `Idempotency-Key`.",
};

/** Codes whose errors may have a `Retry-After`. OpenAI sends one with others too. */
const mayTellWhen = (code: ErrorCode): boolean => new AppError(code, "").retryable;

/** Responses by status, each listing the codes that it can have here. */
export function errorResponses(codes: readonly ErrorCode[]): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy(codes, (code) => new AppError(code, "").status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      String(status),
      {
        description: group.map((code) => `\`${code}\`: ${meanings[code]}`).join("\n\n"),
        headers: z.object({ ...requestId, ...(group.some(mayTellWhen) && retryAfter) }),
        content: {
          "application/json": {
            schema: errorBody.meta({ properties: { error: { properties: { code: { enum: group } } } } }),
          },
        },
      },
    ]),
  );
}
