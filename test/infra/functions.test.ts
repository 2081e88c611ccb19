import { describe, expect, test } from "vitest";
import * as limits from "../../infra/limits.ts";
import { committedManifest, named } from "./stage.ts";

const { functions } = await committedManifest();

/** Whose row of infra/limits.ts a function has. */
const rows = {
  Authorizer: limits.authorizer,
  Chat: limits.streaming,
  Health: limits.buffered,
  ImageUploaded: limits.pipeline,
  NotFound: limits.buffered,
  OpenAI: limits.streaming,
  OpenApi: limits.buffered,
  RequestDeferred: limits.deferred,
  Results: limits.buffered,
  Schemas: limits.buffered,
  SettleLater: limits.settleLater,
  Sweep: limits.sweep,
  Uploads: limits.buffered,
  Usage: limits.buffered,
  Vision: limits.streaming,
};

/** Sources of credentials that AWS's clients would try after the environment, where Lambda's are. */
const notOnLambda = [
  "@aws-sdk/credential-provider-http",
  "@aws-sdk/credential-provider-ini",
  "@aws-sdk/credential-provider-process",
  "@aws-sdk/credential-provider-sso",
  "@aws-sdk/credential-provider-web-identity",
  "@smithy/credential-provider-imds",
];

test("every function has a row of infra/limits.ts", () => {
  expect(Object.keys(functions)).toEqual(Object.keys(rows));
});

describe.each(Object.entries(rows))("%s", (name, row) => {
  const spec = named(functions, name);

  test("has the time and the memory of its row", () => {
    expect(spec.timeoutSeconds * 1000).toBe(row.functionTimeoutMs);
    expect(spec.memoryMb).toBe(row.memoryMb);
  });

  test("runs on Node 24 and arm64, from a small bundle", () => {
    expect(spec).toMatchObject({
      runtime: "nodejs24.x",
      architecture: "arm64",
      build: { minify: true, splitting: true, keepNames: false, external: notOnLambda },
    });
  });

  test("logs JSON, and does not keep it for ever", () => {
    expect(spec.logFormat).toBe("JSON");
    expect(spec.logRetentionDays).toBeGreaterThan(0);
  });
});

test("whoever takes a request that may name no model is told the default one, and nobody else is", () => {
  const told = Object.keys(functions).filter((name) => named(functions, name).environment.DEFAULT_MODEL);
  expect(told).toEqual(["Chat", "ImageUploaded", "OpenAI", "RequestDeferred", "Uploads", "Vision"]);
});
