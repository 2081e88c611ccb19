import { quotas } from "./limits.ts";

/** What API Gateway answers without asking a function, in OpenAI's shape. */
interface GatewayError {
  status?: number;
  code: string;
  type: "invalid_request_error" | "rate_limit_error" | "server_error";
  message: string;
  headers?: Record<string, string>;
}

const noSuchRoute: GatewayError = {
  status: 404,
  code: "not_found",
  type: "invalid_request_error",
  message: "No such route: see GET /openapi.json.",
};

const errors: Record<string, GatewayError> = {
  UNAUTHORIZED: {
    status: 401,
    code: "invalid_api_key",
    type: "invalid_request_error",
    message: "Incorrect API key provided. Send it as the header Authorization: Bearer <key>.",
  },
  ACCESS_DENIED: {
    status: 403,
    code: "forbidden",
    type: "invalid_request_error",
    message: "This API key may not use this route.",
  },
  // API Gateway's names for a method that a known path does not have. It takes the header Authorization for an AWS signature there:
  // the first is said when it is missing, the second when it is none. No route here is signed, so that they can mean nothing else.
  MISSING_AUTHENTICATION_TOKEN: noSuchRoute,
  INVALID_SIGNATURE: noSuchRoute,
  REQUEST_TOO_LARGE: {
    status: 413,
    code: "payload_too_large",
    type: "invalid_request_error",
    message: `The request is larger than ${quotas.functionRequestBytes / 1024 ** 2} MB. Send large images through POST /uploads.`,
  },
  THROTTLED: {
    status: 429,
    code: "rate_limited",
    type: "rate_limit_error",
    message: "Too many requests to this API. Retry after a second.",
    headers: { "Retry-After": "'1'" },
  },
  INTEGRATION_TIMEOUT: {
    status: 504,
    code: "upstream_timeout",
    type: "server_error",
    message: "The request took too long.",
  },
  DEFAULT_4XX: {
    code: "invalid_request",
    type: "invalid_request_error",
    // A JSON string of API Gateway's own, quotes included; put in unquoted below.
    message: "$context.error.messageString",
  },
  DEFAULT_5XX: {
    status: 500,
    code: "internal",
    type: "server_error",
    message: "The server had an error while processing the request.",
  },
};

/** Settings of every gateway response, by API Gateway's response type: for the resources and for the redeployment. */
export const gatewayResponses = Object.entries(errors).map(
  ([responseType, { status, code, type, message, headers }]) => ({
    responseType,
    statusCode: status?.toString(),
    responseParameters: Object.fromEntries(
      Object.entries({ "x-request-id": "context.requestId", ...headers }).map(([name, value]) => [
        `gatewayresponse.header.${name}`,
        value,
      ]),
    ),
    responseTemplates: {
      "application/json": JSON.stringify({ error: { message, type, param: null, code } }).replace(
        '"$context.error.messageString"',
        "$context.error.messageString",
      ),
    },
  }),
);
