import { expect, test } from "vitest";
import { committedManifest } from "./stage.ts";

const { api } = await committedManifest();
const { fields, metrics, retentionDays } = api.accessLog;

test("the API's log is kept for a month", () => {
  expect(retentionDays).toBe(30);
});

test("a line holds what identifies and measures a request, and nothing that it says", () => {
  // Of API Gateway's variables, none of these leads to a header, a query string or a body.
  expect(fields).toEqual({
    requestTime: "$context.requestTime",
    requestId: "$context.requestId",
    awsRequestId: "$context.integration.requestId",
    stage: "$context.stage",
    method: "$context.httpMethod",
    path: "$context.path",
    route: "$context.resourcePath",
    status: "$context.status",
    refused: "$context.error.responseType",
    latencyMs: "$context.responseLatency",
    functionLatencyMs: "$context.integration.latency",
    owner: "$context.authorizer.owner",
    keyId: "$context.authorizer.principalId",
    ip: "$context.identity.sourceIp",
  });
});

test("what API Gateway turned away is counted, for this stage", () => {
  expect(metrics).toEqual([
    {
      pattern: '{ $.refused = "THROTTLED" }',
      namespace: "Tollgate",
      metric: "ApiThrottled",
      dimensions: { Stage: "$.stage" },
    },
  ]);
});
