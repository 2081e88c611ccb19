import { beforeAll, describe, expect, test } from "vitest";
import { modelNamed } from "../../packages/core/src/model/model.ts";
import type { Manifest } from "../../packages/local/src/manifest.ts";
import { evaluate } from "../../packages/local/src/synth/evaluate.ts";
import { installPlatform } from "../../packages/local/src/synth/platform.ts";
import { readManifest } from "../../packages/local/src/synth/read.ts";
import { named, root } from "./stage.ts";

/** What a stage would be that is deployed with these variables. */
const deployed = async (variables: Record<string, string>) => readManifest(await evaluate(root, "local", variables));
let unset: Manifest;

beforeAll(async () => {
  await installPlatform(root);
  unset = await deployed({});
});

test("every wrong setting stops the deployment, by its name and with what would be right", async () => {
  const mistake = await deployed({
    OPENAI_BASE_URL: "localhost:11434",
    PRICES: '{"llama3.2": {"input": 0}}',
    RESULT_TTL_DAYS: "a month",
    UPLOAD_TTL_DAYS: "0",
    ALARM_EMAIL: "the team",
    DAILY_SPEND_USD: "0.00",
    SHRINK_IMAGES: "maybe",
    BUCKET_KMS_KEY_ARN: "alias/tollgate",
  }).catch((error: Error) => error.message);

  expect(mistake).toContain("OPENAI_BASE_URL: Give an address such as https://api.openai.com/v1.");
  expect(mistake).toContain('PRICES: ["llama3.2"].output:');
  expect(mistake).toContain("RESULT_TTL_DAYS: Give a whole number of days");
  expect(mistake).toContain("UPLOAD_TTL_DAYS: Give a whole number of days");
  expect(mistake).toContain("ALARM_EMAIL: Give one e-mail address.");
  expect(mistake).toContain("DAILY_SPEND_USD: Give dollars, such as 25 or 0.50.");
  expect(mistake).toContain("SHRINK_IMAGES: Give true or false.");
  expect(mistake).toContain("BUCKET_KMS_KEY_ARN: Give the ARN of a key, such as arn:aws:kms:");
});

test("the default model is a setting of the functions that take requests, and is one that OpenAI serves for a year", async () => {
  const told = (stage: Manifest) =>
    new Set(Object.values(stage.functions).flatMap(({ environment }) => environment.DEFAULT_MODEL ?? []));
  expect([...told(unset)]).toEqual(["gpt-6-luna"]);
  const ends = modelNamed("gpt-6-luna")?.model.ends ?? null;
  expect(ends === null || ends.on > "2027-11-28").toBe(true);
  expect([...told(await deployed({ DEFAULT_MODEL: "gpt-4o-mini" }))]).toEqual(["gpt-4o-mini"]);
  await expect(deployed({ DEFAULT_MODEL: "gpt\n6" })).rejects.toThrow("DEFAULT_MODEL: Give a model's name");
});

test("a variable that is empty is not set", async () => {
  const empty = { OPENAI_BASE_URL: "", PRICES: "", RESULT_TTL_DAYS: "", UPLOAD_TTL_DAYS: "" };
  expect(
    await deployed({ ...empty, ALARM_EMAIL: "", DAILY_SPEND_USD: "", SHRINK_IMAGES: "", BUCKET_KMS_KEY_ARN: "" }),
  ).toEqual(unset);
});

describe("a stage that keeps nothing for ever", () => {
  const prices = '{"llama3.2": {"input": 0, "output": 0}}';
  const baseUrl = "http://localhost:11434/v1";
  let stage: Manifest;
  beforeAll(async () => {
    const variables = { OPENAI_BASE_URL: baseUrl, PRICES: prices, RESULT_TTL_DAYS: "3", UPLOAD_TTL_DAYS: "30" };
    stage = await deployed(variables);
  });
  const valuesOf = (variable: string) =>
    Object.fromEntries(
      Object.entries(stage.functions).flatMap(([name, { environment }]) =>
        environment[variable] === undefined ? [] : [[name, environment[variable]]],
      ),
    );
  const expirationDays = (prefix: string) =>
    named(stage.buckets, "Images").lifecycle.find((rule) => rule.prefix === prefix)?.expirationDays ?? 0;
  const settlementsWaitDays = () => named(stage.queues, "SettleLaterDlq").retentionSeconds / (24 * 3600);

  test("tells every function that ends results how long to keep them", () => {
    expect(valuesOf("RESULT_TTL_DAYS")).toEqual({
      Chat: "3",
      ImageUploaded: "3",
      OpenAI: "3",
      RequestDeferred: "3",
      SettleLater: "3",
      Sweep: expect.any(String),
      Vision: "3",
    });
  });

  test("keeps a result that the sweep has ended for as long as its own settlement may still come", () => {
    expect(Number(valuesOf("RESULT_TTL_DAYS").Sweep)).toBeGreaterThan(settlementsWaitDays());
  });

  test("keeps an answer in the bucket for longer than its result, and than its settlement may wait", () => {
    expect(expirationDays("outputs/")).toBeGreaterThan(3);
    expect(expirationDays("outputs/")).toBeGreaterThan(settlementsWaitDays());
  });

  test("keeps uploaded images for as long as it is told", () => {
    expect(expirationDays("uploads/")).toBe(30);
  });

  test("tells every function that calls OpenAI where it is and what it costs", () => {
    const callers = Object.entries(stage.functions).flatMap(([name, { links }]) =>
      "OpenAIApiKey" in links ? [name] : [],
    );
    expect(valuesOf("OPENAI_BASE_URL")).toEqual(Object.fromEntries(callers.map((name) => [name, baseUrl])));
    expect(valuesOf("PRICES")).toEqual(Object.fromEntries(callers.map((name) => [name, prices])));
  });
});

test("results and images are kept for ever unless a stage says otherwise", () => {
  const { buckets, functions } = unset;
  for (const { environment } of Object.values(functions)) expect(environment).not.toHaveProperty("RESULT_TTL_DAYS");
  const { lifecycle } = named(buckets, "Images");
  expect(lifecycle.filter(({ expirationDays }) => expirationDays).map(({ prefix }) => prefix)).toEqual(["requests/"]);
});

test("only a stage that shrinks images has sharp, beside those functions that show images from the bucket or from a request", async () => {
  const withSharp = ({ functions }: Manifest) =>
    Object.entries(functions)
      .filter(([, { environment, build }]) => environment.SHRINK_IMAGES === "true" && build.install?.includes("sharp"))
      .map(([name]) => name);
  expect(withSharp(await deployed({ SHRINK_IMAGES: "true" }))).toEqual(["ImageUploaded", "RequestDeferred", "Vision"]);
  expect(await deployed({ SHRINK_IMAGES: "false" })).toEqual(unset);
  expect(withSharp(unset)).toEqual([]);
});

test("a stage with a key of KMS encrypts its bucket with it, and lets each function use it exactly as it uses objects", async () => {
  const key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
  const { buckets, functions } = await deployed({ BUCKET_KMS_KEY_ARN: key });
  expect(named(buckets, "Images").kmsKeyArn).toBe(key);
  const uses = Object.entries(functions).map(([name, { policy }]) => {
    const allowed = policy.flatMap(({ actions }) => actions);
    return [
      name,
      allowed.includes("s3:GetObject") ? ["kms:Decrypt"] : [],
      allowed.includes("s3:PutObject") ? ["kms:GenerateDataKey"] : [],
    ].flat();
  });
  const permitted = Object.entries(functions).map(([name, { policy }]) => [
    name,
    ...policy.filter(({ actions }) => actions.some((it) => it.startsWith("kms:"))).flatMap(({ actions }) => actions),
  ]);
  expect(permitted).toEqual(uses);
  expect(Object.fromEntries(permitted.map(([name, ...actions]) => [name, actions]))).toMatchObject({
    // It signs forms, and whoever posts one writes with its rights.
    Uploads: ["kms:GenerateDataKey"],
    ImageUploaded: ["kms:Decrypt", "kms:GenerateDataKey"],
    Usage: [],
  });
  for (const { policy } of Object.values(functions))
    for (const { actions, resources } of policy)
      if (actions.some((it) => it.startsWith("kms:"))) expect(resources).toEqual([key]);
});

test("a stage without a key of KMS has no permission on any", () => {
  expect(named(unset.buckets, "Images").kmsKeyArn).toBeNull();
  expect(JSON.stringify(unset.functions)).not.toContain("kms:");
});
