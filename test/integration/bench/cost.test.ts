import { beforeAll, describe, expect, test } from "vitest";
import { awsPrices } from "../../../bench/aws-prices.ts";
import { dollarsOf, report } from "../../../bench/cost/report.ts";
import { type Costs, cost } from "../../../bench/cost.ts";

let costs: Costs;
beforeAll(async () => {
  costs = await cost({ requests: 1, latencyMs: 0 });
}, 300_000);

function kind(name: string): Costs["kinds"][number] {
  const found = costs.kinds.find((kind) => kind.name === name);
  if (!found) throw new Error(`No ${name} among ${costs.kinds.map((kind) => kind.name).join(", ")}.`);
  return found;
}

/** By hand. A chat's result is below 1 KB until it has its answer, and below 2 KB then; an image's is below 3 KB. */
const claimed = { result: 1, byOwner: 1, byLease: 1 };
const settled = { result: 2 * 2, counter: 2 * 1, byOwner: 1, byLease: 1 };
const units = (...parts: Record<string, number>[]) =>
  parts.flatMap(Object.values).reduce((total, one) => total + one, 0);

describe("DynamoDB", () => {
  test.each(["chat", "chat, streamed", "/v1/chat/completions"])(
    "%s is claimed and settled, and nothing is read",
    (name) => {
      expect(kind(name).use).toMatchObject({ writeUnits: units(claimed, settled), readUnits: 0 });
    },
  );

  test("a budget reserves and charges, and a rate counts", () => {
    const reserved = { result: 2, budget: 2 };
    expect(kind("chat, budget and rate").use.writeUnits).toBe(
      units(claimed, { rate: 1 }, reserved, settled, { charge: 2 }),
    );
  });

  test("a deferred chat is claimed twice, the second time by a put that finds it", () => {
    const accepted = { result: 1, byOwner: 1 };
    const taken = { found: 1, result: 2, byLease: 1 };
    const read = { result: 1, revoked: 1 };
    expect(kind("chat, deferred").use).toMatchObject({
      writeUnits: units(accepted, taken, settled),
      readUnits: units(read),
    });
  });

  test("a replay is one put that finds the result", () => {
    expect(kind("chat, replayed").use).toMatchObject({ writeUnits: 2, readUnits: 0 });
  });

  test("an image is a chat with a longer answer, however it comes", () => {
    const longer = { ...settled, result: 2 * 3 };
    const announced = { result: 1, byOwner: 1 };
    const taken = { found: 1, result: 2, byOwner: 1, byLease: 1 };
    expect(kind("image, inline").use.writeUnits).toBe(units(claimed, longer));
    const content = { content: 1 };
    expect(kind("image, put into S3").use.writeUnits).toBe(units(claimed, content, longer));
    expect(kind("image, by form").use.writeUnits).toBe(units(announced, taken, content, longer));
  });
});

test("a message is sent, received and deleted, and what waits in S3 is put there and got", () => {
  for (const name of ["chat, deferred", "image, put into S3", "image, by form"])
    expect(kind(name).use).toMatchObject({ sqsRequests: 3, s3Puts: 1, s3Gets: 1 });
  for (const name of ["chat", "chat, replayed", "image, inline"])
    expect(kind(name).use).toMatchObject({ sqsRequests: 0, s3Puts: 0, s3Gets: 0 });
});

test("a request asks the API once, but for an image that is put straight into S3", () => {
  for (const { name, use } of costs.kinds)
    expect([name, use.gatewayRequests]).toEqual([name, name === "image, put into S3" ? 0 : 1]);
});

test("an image goes out to OpenAI as base64", () => {
  const { use } = kind("image, put into S3");
  expect(use.outBytes).toBeGreaterThan((4 / 3) * 49_477);
});

test("a replay costs nothing at OpenAI", () => {
  expect(kind("chat").openai.usd).toBeGreaterThan(0);
  expect(kind("chat, replayed").openai).toEqual({ promptTokens: 0, completionTokens: 0, usd: 0 });
});

test("beside the requests, the authorizer reads a key and the sweep asks eight partitions", () => {
  expect(costs.beside.authorizer).toMatchObject({ writeUnits: 0, readUnits: 1, lambdaRequests: 1 });
  expect(costs.beside.sweep).toMatchObject({ writeUnits: 0, readUnits: 8 / 2, lambdaRequests: 1 });
  expect(costs.beside["cold start"].gbSeconds).toBeGreaterThan(0);
});

test("amounts times list prices are dollars", () => {
  // What was measured differs by run, and with it how the last digit is rounded.
  const use = { ...kind("chat").use, gbSeconds: 2.14 };
  expect(dollarsOf(use)).toMatchObject({
    "API Gateway": 0.0000035,
    DynamoDB: use.writeUnits * awsPrices.dynamodbWriteUnit,
    Lambda: 0.0000002 + use.gbSeconds * 0.0000133334,
    S3: 0,
  });
});

test("the report has a line for each kind, and the polls of idle queues", () => {
  const text = report(costs);
  for (const { name } of costs.kinds) expect(text).toContain(name);
  expect(text).toMatch(/3 queues polled +│ +1944000 │ +0\.778 │ +0\.378/);
});
