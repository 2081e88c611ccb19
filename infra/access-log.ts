/**
 * What API Gateway writes of each request, by its own variables. Neither header nor query string nor body, so that no key and no
 * prompt can be in it; and nothing that a caller could write quotes into. `requestId` is the `x-request-id` of the response and the
 * functions' `request_id`.
 */
export const accessLogFormat = {
  requestTime: "$context.requestTime",
  requestId: "$context.requestId",
  /** Lambda's own, in the functions' lines `aws_request_id`. */
  awsRequestId: "$context.integration.requestId",
  stage: "$context.stage",
  method: "$context.httpMethod",
  path: "$context.path",
  route: "$context.resourcePath",
  status: "$context.status",
  /** What API Gateway itself refused, such as `THROTTLED`; `-` when a function answered. */
  refused: "$context.error.responseType",
  latencyMs: "$context.responseLatency",
  functionLatencyMs: "$context.integration.latency",
  owner: "$context.authorizer.owner",
  keyId: "$context.authorizer.principalId",
  ip: "$context.identity.sourceIp",
};
