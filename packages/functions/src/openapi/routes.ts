import { chatRequest } from "@tollgate/core/chat/schema";
import type { ErrorCode } from "@tollgate/core/error";
import { chatCompletionRequest } from "@tollgate/core/openai-compatible/schema";
import { resultsQuery } from "@tollgate/core/result/query";
import { uploadRequest } from "@tollgate/core/upload/schema";
import { usageQuery } from "@tollgate/core/usage/query";
import { visionRequest } from "@tollgate/core/vision/schema";
import * as z from "zod";
import { chatExamples, uploadExamples, visionExamples } from "./examples.ts";
import { accepted, askingHeaders, idempotencyHeader, replayed, requestId, resultHeaders } from "./headers.ts";
import {
  deletedBody,
  healthBody,
  resultBody,
  resultListBody,
  schemaBody,
  schemaListBody,
  uploadBody,
  usageReportBody,
} from "./responses.ts";

interface Success {
  status: number;
  description: string;
  headers: Record<string, z.ZodType>;
  body: z.ZodType;
  /** Other forms that `Accept`, or a field of the request, can ask for. */
  alternatives?: Record<string, z.ZodType>;
}

/** One route of the contract, as the document tells it. */
export interface Route {
  summary: string;
  description?: string;
  tag: "Ask OpenAI" | "Results" | "Usage" | "Schemas" | "Service";
  /** Answers without a key. */
  public?: boolean;
  request?: {
    path?: z.ZodObject;
    query?: z.ZodObject;
    header?: z.ZodObject;
    /** JSON, and required. */
    body?: z.ZodType;
    examples?: Record<string, { summary: string; value: unknown }>;
  };
  response: Success;
  /** What a request can ask for instead. */
  otherwise?: Success;
  /** Besides those of every route. */
  errors: readonly ErrorCode[];
}

const openaiErrors = [
  "invalid_request",
  "invalid_schema",
  "invalid_image",
  "unsupported_image",
  "upstream_rejected",
  "budget_exceeded",
  "model_not_allowed",
  "not_found",
  "model_not_found",
  "in_progress",
  "idempotency_mismatch",
  "image_too_large",
  "payload_too_large",
  "invalid_output",
  "upstream_error",
  "upstream_quota",
  "upstream_auth",
  "upstream_timeout",
] as const satisfies ErrorCode[];

const eventStream = { "text/event-stream": z.string() };

const resultResponse: Success = {
  status: 200,
  description:
    "OpenAI's answer as a result, whatever it says: `status` tells. Billed, and on the ledger. With `stream: true`: " +
    "OpenAI's chunks, then `event: result` with the result or `event: error`, then `[DONE]`.",
  headers: { ...resultHeaders, ...replayed },
  body: resultBody,
  alternatives: eventStream,
};

const acceptedResponse: Success = {
  status: 202,
  description: "With `Prefer: respond-async`: the result, `running`. `GET /results/{id}` tells when it is done.",
  headers: { ...resultHeaders, ...replayed, ...accepted },
  body: resultBody,
};

const completionsErrors = openaiErrors.filter(
  (code) => !["invalid_schema", "unsupported_image", "not_found", "image_too_large", "invalid_output"].includes(code),
);

/** By method and path, as in infra/api.ts. A route is one entry here; tests compare them with those that are deployed. */
export const routes: Record<string, Route> = {
  "POST /chat": {
    summary: "Ask OpenAI",
    description:
      "OpenAI's chat parameters, or `schema` for a registered structured output. Leave `model` out for the stage's default.",
    tag: "Ask OpenAI",
    request: { header: askingHeaders, body: chatRequest, examples: chatExamples },
    response: resultResponse,
    otherwise: acceptedResponse,
    errors: openaiErrors,
  },
  "POST /vision": {
    summary: "Ask OpenAI about images",
    description: "1 to 20 images and what to say about them. An image over 4 MB goes through `POST /uploads`.",
    tag: "Ask OpenAI",
    request: { header: askingHeaders, body: visionRequest, examples: visionExamples },
    response: resultResponse,
    otherwise: acceptedResponse,
    errors: openaiErrors,
  },
  "POST /v1/chat/completions": {
    summary: "Ask OpenAI by its own API",
    description:
      "For any client of OpenAI's: its base URL is this API's and `/v1`. Fields that are not listed pass through to OpenAI, " +
      "which judges them; its answer comes back to the byte. An error of OpenAI's comes back with OpenAI's status, `code` and " +
      "message (429 `insufficient_quota`, `rate_limit_exceeded`), unless this service's own key is at fault.",
    tag: "Ask OpenAI",
    request: { header: idempotencyHeader, body: chatCompletionRequest },
    response: {
      status: 200,
      description: "OpenAI's answer, as it is; with `stream: true` its server-sent events.",
      headers: { ...resultHeaders, ...replayed },
      body: z.looseObject({ id: z.string(), object: z.literal("chat.completion") }),
      alternatives: eventStream,
    },
    errors: completionsErrors,
  },
  "GET /v1/models": {
    summary: "List OpenAI's models",
    description:
      "The models that the key may use. Each that this service knows has `shutdown_date`, also where OpenAI's answer leaves it out.",
    tag: "Ask OpenAI",
    response: {
      status: 200,
      description: "OpenAI's list.",
      headers: requestId,
      body: z.looseObject({ object: z.literal("list") }),
    },
    errors: ["upstream_error", "upstream_auth", "upstream_quota"],
  },
  "GET /v1/models/{model}": {
    summary: "Read one of OpenAI's models",
    description: "A model that the key may not use is answered with `model_not_found`.",
    tag: "Ask OpenAI",
    request: {
      path: z.object({
        model: z
          .string()
          .min(1)
          .meta({ examples: ["gpt-6-luna"] }),
      }),
    },
    response: {
      status: 200,
      description: "OpenAI's model.",
      headers: requestId,
      body: z.looseObject({ object: z.literal("model") }),
    },
    errors: ["model_not_found", "upstream_error", "upstream_auth", "upstream_quota"],
  },
  "POST /uploads": {
    summary: "Announce an image",
    description:
      "Answers with a form that uploads one image of up to 20 MB, without AWS credentials. Once it is uploaded it is " +
      "analysed, and `GET /results/{id}` has the result. Left out, `schema` is `image_description`.",
    tag: "Ask OpenAI",
    request: { body: uploadRequest, examples: uploadExamples },
    response: { status: 201, description: "The form.", headers: resultHeaders, body: uploadBody },
    errors: ["invalid_request", "model_not_allowed", "payload_too_large"],
  },
  "GET /results": {
    summary: "List results, newest first",
    tag: "Results",
    request: { query: resultsQuery },
    response: { status: 200, description: "One page of your results.", headers: requestId, body: resultListBody },
    errors: ["invalid_request", "invalid_range"],
  },
  "GET /results/{id}": {
    summary: "Read a result",
    tag: "Results",
    request: { path: z.object({ id: z.string().min(1).meta({ description: "The result's id: `res_…`." }) }) },
    response: {
      status: 200,
      description: "The result, in whatever state it is.",
      headers: resultHeaders,
      body: resultBody,
    },
    errors: ["not_found"],
  },
  "DELETE /results/{id}": {
    summary: "Delete a result",
    description: "And the image that was uploaded for it. Its tokens stay on the ledger: they were billed.",
    tag: "Results",
    request: { path: z.object({ id: z.string().min(1).meta({ description: "The result's id: `res_…`." }) }) },
    response: { status: 200, description: "It is gone.", headers: resultHeaders, body: deletedBody },
    errors: ["not_found", "in_progress"],
  },
  "GET /usage": {
    summary: "Read the token ledger",
    tag: "Usage",
    request: { query: usageQuery },
    response: {
      status: 200,
      description: "Tokens and cost, as OpenAI billed them. CSV with `Accept: text/csv`.",
      headers: requestId,
      body: usageReportBody,
      alternatives: { "text/csv": z.string() },
    },
    errors: ["invalid_request", "invalid_range"],
  },
  "GET /schemas": {
    summary: "List the registered structured outputs",
    tag: "Schemas",
    response: { status: 200, description: "All of them.", headers: requestId, body: schemaListBody },
    errors: [],
  },
  "GET /schemas/{name}": {
    summary: "Read a registered structured output",
    tag: "Schemas",
    request: {
      path: z.object({
        name: z
          .string()
          .min(1)
          .meta({ examples: ["sentiment"] }),
      }),
    },
    response: { status: 200, description: "The structured output.", headers: requestId, body: schemaBody },
    errors: ["not_found"],
  },
  "GET /health": {
    summary: "Tell whether the API answers",
    tag: "Service",
    public: true,
    response: { status: 200, description: "It does.", headers: requestId, body: healthBody },
    errors: [],
  },
  "GET /openapi.json": {
    summary: "Read this document",
    tag: "Service",
    public: true,
    response: {
      status: 200,
      description: "OpenAPI 3.1.",
      headers: requestId,
      body: z.looseObject({ openapi: z.string() }),
    },
    errors: [],
  },
};
