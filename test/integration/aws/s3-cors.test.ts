import { describe, expect, test } from "vitest";
import type { CorsRule } from "../../../packages/local/src/manifest.ts";
import { bucket, send, startBucket } from "./s3-fixtures.ts";

const forms: CorsRule = {
  allowedMethods: ["POST"],
  allowedOrigins: ["*"],
  allowedHeaders: ["*"],
  exposeHeaders: [],
  maxAgeSeconds: 86_400,
};
const ownPages: CorsRule = {
  allowedMethods: ["GET", "PUT"],
  allowedOrigins: ["https://*.example.com"],
  allowedHeaders: ["content-type", "X-Amz-Meta-*"],
  exposeHeaders: ["ETag", "x-amz-request-id"],
  maxAgeSeconds: 0,
};
const origin = "https://shop.example.com";

async function startRules(...cors: CorsRule[]) {
  const { endpoint } = await startBucket({ spec: { cors } });
  return (method: string, headers: Record<string, string>, path = `/${bucket}/k`) =>
    send(endpoint, method, path, headers);
}

const preflightOf = (method: string, headers = "") => ({
  origin,
  "access-control-request-method": method,
  ...(headers && { "access-control-request-headers": headers }),
});

const corsHeadersOf = (headers: object) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("access-control-") || name === "vary"));

const code = (text: string) => /<Code>(\w+)/.exec(text)?.[1];
const vary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

describe("OPTIONS", () => {
  test("allows what a rule for every origin allows", async () => {
    const ask = await startRules(forms);
    const { status, headers } = await ask("OPTIONS", preflightOf("POST", "Content-Type, x-own"), `/${bucket}`);
    expect(status).toBe(200);
    expect(corsHeadersOf(headers)).toEqual({
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": "content-type, x-own",
      "access-control-max-age": "86400",
      vary,
    });
  });

  test("names the origin, and allows credentials, where a rule names origins", async () => {
    const ask = await startRules(forms, ownPages);
    const { status, headers } = await ask("OPTIONS", preflightOf("PUT", "x-amz-meta-prompt"));
    expect(status).toBe(200);
    expect(corsHeadersOf(headers)).toEqual({
      "access-control-allow-origin": origin,
      "access-control-allow-methods": "GET, PUT",
      "access-control-allow-credentials": "true",
      "access-control-allow-headers": "x-amz-meta-prompt",
      "access-control-expose-headers": "ETag, x-amz-request-id",
      vary,
    });
  });

  test.each([
    ["method", preflightOf("DELETE")],
    ["header", preflightOf("PUT", "content-type, x-other")],
    ["origin", { ...preflightOf("PUT"), origin: "https://example.com" }],
  ])("is refused as on AWS when no rule has the %s", async (_, headers) => {
    const ask = await startRules(ownPages);
    const answer = await ask("OPTIONS", headers);
    expect([answer.status, code(answer.text), corsHeadersOf(answer.headers)]).toEqual([403, "AccessForbidden", {}]);
    expect(answer.text).toContain("CORSResponse: This CORS request is not allowed.");
    expect(answer.text).toContain(`<Method>${headers["access-control-request-method"]}</Method>`);
    expect(answer.text).toContain("<ResourceType>OBJECT</ResourceType>");
  });

  test("is refused for a bucket without rules, for none, and without Origin or method", async () => {
    const ruleless = await startRules();
    expect((await ruleless("OPTIONS", preflightOf("POST"))).text).toContain("CORS is not enabled for this bucket.");
    const ask = await startRules(forms);
    const absent = await ask("OPTIONS", preflightOf("POST"), "/absent");
    expect([absent.status, absent.text]).toEqual([403, expect.stringContaining("CORSResponse: Bucket not found")]);
    expect((await ask("OPTIONS", {})).text).toContain("Origin request header needed");
    expect(code((await ask("OPTIONS", { origin })).text)).toBe("BadRequest");
  });
});

describe("a request of a page", () => {
  test("is answered with the rule's headers, an error too, so that the page can read it", async () => {
    const ask = await startRules(ownPages);
    const { status, headers } = await ask("GET", { origin });
    expect(status).toBe(403);
    expect(corsHeadersOf(headers)).toMatchObject({ "access-control-allow-origin": origin, vary });
  });

  test("has none of them where no rule fits, and without an Origin", async () => {
    const ask = await startRules(forms);
    expect(corsHeadersOf((await ask("GET", { origin })).headers)).toEqual({});
    expect(corsHeadersOf((await ask("POST", {})).headers)).toEqual({});
  });
});
