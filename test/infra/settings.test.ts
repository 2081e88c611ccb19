import { beforeAll, describe, expect, test } from "vitest";
import { evaluate } from "../../packages/local/src/synth/evaluate.ts";
import { installPlatform } from "../../packages/local/src/synth/platform.ts";
import { readManifest } from "../../packages/local/src/synth/read.ts";
import { named, root } from "./stage.ts";

beforeAll(() => installPlatform(root));

/** What a stage would be that is deployed with these variables. */
const deployed = async (variables: Record<string, string>) => readManifest(await evaluate(root, "local", variables));

test("every wrong setting stops the deployment, by its name and with what would be right", async () => {
  const mistake = await deployed({
    OPENAI_BASE_URL: "localhost:11434",
    PRICES: '{"llama3.2": {"input": 0}}',
    RESULT_TTL_DAYS: "a month",
    UPLOAD_TTL_DAYS: "0",
  }).catch((error: Error) => error.message);

  expect(mistake).toContain("OPENAI_BASE_URL: Give an address such as https://api.openai.com/v1.");
  expect(mistake).toContain('PRICES: ["llama3.2"].output:');
  expect(mistake).toContain("RESULT_TTL_DAYS: Give a whole number of days");
  expect(mistake).toContain("UPLOAD_TTL_DAYS: Give a whole number of days");
});

test("a variable that is empty is not set", async () => {
  const [unset, empty] = await Promise.all([
    deployed({}),
    deployed({ OPENAI_BASE_URL: "", PRICES: "", RESULT_TTL_DAYS: "", UPLOAD_TTL_DAYS: "" }),
  ]);
  expect(empty).toEqual(unset);
});

describe("a stage that keeps nothing for ever", async () => {
  const prices = '{"llama3.2": {"input": 0, "output": 0}}';
  const baseUrl = "http://localhost:11434/v1";
  const { buckets, functions, queues } = await deployed({
    OPENAI_BASE_URL: baseUrl,
    PRICES: prices,
    RESULT_TTL_DAYS: "3",
    UPLOAD_TTL_DAYS: "30",
  });
  const valuesOf = (variable: string) =>
    Object.fromEntries(
      Object.entries(functions).flatMap(([name, { environment }]) =>
        environment[variable] === undefined ? [] : [[name, environment[variable]]],
      ),
    );
  const { lifecycle } = named(buckets, "Images");
  const expirationDays = (prefix: string) => lifecycle.find((rule) => rule.prefix === prefix)?.expirationDays ?? 0;
  const settlementsWaitDays = named(queues, "SettleLaterDlq").retentionSeconds / (24 * 3600);

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
    expect(Number(valuesOf("RESULT_TTL_DAYS").Sweep)).toBeGreaterThan(settlementsWaitDays);
  });

  test("keeps an answer in the bucket for longer than its result, and than its settlement may wait", () => {
    expect(expirationDays("outputs/")).toBeGreaterThan(3);
    expect(expirationDays("outputs/")).toBeGreaterThan(settlementsWaitDays);
  });

  test("keeps uploaded images for as long as it is told", () => {
    expect(expirationDays("uploads/")).toBe(30);
  });

  test("tells every function that calls OpenAI where it is and what it costs", () => {
    const callers = Object.keys(functions).filter((name) => "OpenAIApiKey" in named(functions, name).links);
    expect(valuesOf("OPENAI_BASE_URL")).toEqual(Object.fromEntries(callers.map((name) => [name, baseUrl])));
    expect(valuesOf("PRICES")).toEqual(Object.fromEntries(callers.map((name) => [name, prices])));
  });
});

test("results and images are kept for ever unless a stage says otherwise", async () => {
  const { buckets, functions } = await deployed({});
  for (const { environment } of Object.values(functions)) expect(environment).not.toHaveProperty("RESULT_TTL_DAYS");
  const { lifecycle } = named(buckets, "Images");
  expect(lifecycle.filter(({ expirationDays }) => expirationDays).map(({ prefix }) => prefix)).toEqual(["requests/"]);
});
