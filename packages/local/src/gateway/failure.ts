/**
 * API Gateway's own answers: response type → default status, message and `x-amzn-ErrorType`.
 * Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html, November
 * 2026. The page names no messages: they are those that REST APIs send.
 */
const RESPONSE_TYPES = {
  ACCESS_DENIED: [403, "User is not authorized to access this resource", "AccessDeniedException"],
  API_CONFIGURATION_ERROR: [500, "Internal server error", "InternalServerErrorException"],
  AUTHORIZER_CONFIGURATION_ERROR: [500, null, "AuthorizerConfigurationException"],
  AUTHORIZER_FAILURE: [500, null, "AuthorizerFailureException"],
  BAD_REQUEST_BODY: [400, "Invalid request body", "BadRequestException"],
  INTEGRATION_FAILURE: [504, "Network error communicating with endpoint", "InternalServerErrorException"],
  INTEGRATION_TIMEOUT: [504, "Endpoint request timed out", "InternalServerErrorException"],
  INVALID_SIGNATURE: [
    403,
    "not a valid key=value pair (missing equal-sign) in Authorization header",
    "IncompleteSignatureException",
  ],
  MISSING_AUTHENTICATION_TOKEN: [403, "Missing Authentication Token", "MissingAuthenticationTokenException"],
  REQUEST_TOO_LARGE: [413, "Request Too Long", "RequestTooLargeException"],
  THROTTLED: [429, "Too Many Requests", "TooManyRequestsException"],
  UNAUTHORIZED: [401, "Unauthorized", "UnauthorizedException"],
  DEFAULT_4XX: [400, "Bad Request", "BadRequestException"],
  DEFAULT_5XX: [502, "Internal server error", "InternalServerErrorException"],
} as const satisfies Record<string, readonly [number, string | null, string]>;

export type ResponseType = keyof typeof RESPONSE_TYPES;

/** Why API Gateway answers by itself. `message` goes to the client, `cause` to the log. */
export class GatewayFailure extends Error {
  readonly responseType: ResponseType;
  readonly statusCode: number;
  /** `$context.error.message`; null where API Gateway has none. */
  readonly clientMessage: string | null;
  readonly errorType: string;

  constructor(responseType: ResponseType, options: { statusCode?: number; message?: string; cause?: unknown } = {}) {
    const [statusCode, message, errorType] = RESPONSE_TYPES[responseType];
    super(options.message ?? message ?? responseType, { cause: options.cause });
    this.name = "GatewayFailure";
    this.responseType = responseType;
    this.statusCode = options.statusCode ?? statusCode;
    this.clientMessage = options.message ?? message;
    this.errorType = errorType;
  }
}
