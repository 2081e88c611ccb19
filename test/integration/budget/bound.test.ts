import fc from "fast-check";
import sharp from "sharp";
import { expect, it } from "vitest";
import { maxCostOf } from "../../../packages/core/src/budget/estimate.ts";
import { withOutputLimit } from "../../../packages/core/src/budget/output-tokens.ts";
import { AppError } from "../../../packages/core/src/error.ts";
import { usageFrom } from "../../../packages/core/src/openai/usage.ts";
import { requestAsWritten } from "../../../packages/core/src/openai/verbatim.ts";
import { billingOf } from "../../../packages/core/src/usage/billing.ts";
import { costOf } from "../../../packages/core/src/usage/cost.ts";
import { priceOf } from "../../../packages/core/src/usage/price.ts";
import { MODELS } from "../../../packages/local/src/openai/models.ts";
import { pngOf } from "../../unit/budget/picture.ts";
import { dataUrl, simulate } from "../openai/simulation.ts";

const openai = await simulate();
/** The day of the simulated OpenAI. */
const day = new Date("2026-11-01T12:00:00Z");

const shapes = [
  [1, 1],
  [33, 31],
  [512, 513],
  [769, 2_049],
  [2_048, 768],
  [2_400, 1_800],
  [3_000, 40],
  [4_800, 6_400],
] as const;
const encoded = (["png", "jpeg", "webp", "gif"] as const).map(async (format) => {
  const create = { width: 700, height: 300, channels: 3 as const, background: "#36a" };
  return dataUrl(await sharp({ create }).toFormat(format).toBuffer(), `image/${format}`);
});
const pictures = [...shapes.map(([width, height]) => pngOf(width, height)), ...(await Promise.all(encoded))];

const text = fc.oneof(
  { weight: 3, arbitrary: fc.lorem({ maxCount: 60 }) },
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 }),
  fc.string({ unit: "binary", minLength: 1, maxLength: 200 }),
  fc.integer({ min: 1, max: 4_000 }).map((length) => "7".repeat(length)),
  fc.integer({ min: 1, max: 400 }).map((count) => "日本語🎈".repeat(count)),
  fc.constantFrom(
    "[[fault:length]] Say it.",
    "[[fault:long bytes=20000]] Say it.",
    "[[fault:refusal]]",
    "Call look_up",
  ),
);
/** There once for so many times that it is not. */
const maybe = <T>(value: fc.Arbitrary<T>, absences = 4) =>
  fc.oneof({ weight: absences, arbitrary: fc.constant(undefined) }, value);
/** One object in fifty has more than it should: a text, or what calls itself an image. */
const odd = (fields: fc.Arbitrary<object>) =>
  fc
    .tuple(
      fields,
      maybe(fc.constantFrom("type", "text", "extra", "image_url", "toJSON"), 49),
      fc.oneof(
        text,
        fc.constant("image_url"),
        fc.constantFrom(...pictures.slice(0, 2)).map((url) => ({ url })),
      ),
    )
    .map(([object, name, value]) => (name === undefined ? object : { ...object, [name]: value }));

const image = odd(
  fc.record({
    type: fc.constant("image_url"),
    image_url: odd(
      fc.record({
        url: fc.constantFrom(...pictures),
        detail: maybe(fc.constantFrom("low", "high", "auto", "original"), 2),
      }),
    ),
  }),
);
const textPart = odd(fc.record({ type: fc.constant("text"), text }));
const content = fc.oneof(text, fc.array(fc.oneof(textPart, image), { minLength: 1, maxLength: 3 }));
const plainContent = fc.oneof(text, fc.array(textPart, { minLength: 1, maxLength: 3 }));

const calls = fc
  .array(
    odd(
      fc.oneof(
        odd(fc.record({ name: fc.constant("look_up"), arguments: text })).map((called) => ({
          type: "function",
          function: called,
        })),
        odd(fc.record({ name: fc.constant("write"), input: text })).map((called) => ({
          type: "custom",
          custom: called,
        })),
      ),
    ),
    { minLength: 1, maxLength: 2 },
  )
  .map((made) => made.map((call, index) => ({ id: `call_${index}`, ...call })));
/** An assistant's calls, and their results. */
const exchange = fc
  .tuple(calls, plainContent)
  .map(([tool_calls, result]) => [
    { role: "assistant", content: null, tool_calls },
    ...tool_calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: result })),
  ]);
const single = fc
  .oneof(
    odd(fc.record({ role: fc.constant("user"), content, name: maybe(fc.constantFrom("ann", "Bob-7"), 1) })),
    odd(fc.record({ role: fc.constantFrom("system", "developer", "assistant"), content: plainContent })),
    odd(fc.record({ role: fc.constantFrom("system", "assistant", "tool"), content })),
  )
  .map((message) => [message]);
const messages = fc
  .tuple(fc.array(fc.oneof({ weight: 3, arbitrary: single }, exchange), { maxLength: 4 }), content)
  .map(([groups, last]) => [...groups.flat(), { role: "user", content: last }]);

const schema = fc.array(fc.tuple(fc.stringMatching(/^[a-z_]{1,12}$/), text), { maxLength: 4 }).map((fields) => ({
  type: "object",
  properties: Object.fromEntries(fields.map(([name, description]) => [name, { type: "string", description }])),
  required: [...new Set(fields.map(([name]) => name))],
  additionalProperties: false,
}));
const functionOf = odd(fc.record({ name: fc.constant("look_up"), description: maybe(text), parameters: schema }));
const tools = fc.array(
  odd(
    fc.oneof(
      { weight: 3, arbitrary: functionOf.map((called) => ({ type: "function", function: called })) },
      odd(fc.record({ name: fc.constant("write"), description: text })).map((custom) => ({ type: "custom", custom })),
    ),
  ),
  { minLength: 1, maxLength: 2 },
);
const format = fc.oneof(
  schema.map((own) => ({ type: "json_schema", json_schema: { name: "answer", strict: true, schema: own } })),
  fc.constant({ type: "json_object" }),
  fc.constant({ type: "text" }),
);
const count = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 1, max: 3_000 }) },
  fc.constantFrom(0, -1, 1.5, "64", null, 1e12),
);

const request = fc.record(
  {
    model: fc.constantFrom(...MODELS.filter(({ searches }) => !searches).flatMap(({ ids }) => ids)),
    messages,
    n: maybe(fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 4 }) }, fc.constantFrom(0, "2", null, 129)), 1),
    limit: fc.constantFrom("max_tokens", "max_completion_tokens", undefined),
    count,
    tools: maybe(tools),
    functions: maybe(fc.array(functionOf, { minLength: 1, maxLength: 2 }), 9),
    response_format: maybe(format),
    service_tier: maybe(fc.constantFrom("auto", "default", "flex", "priority", "fast", "scale"), 2),
    reasoning_effort: maybe(fc.constantFrom("none", "minimal", "low", "medium", "high", "xhigh"), 2),
    prediction: maybe(fc.record({ type: fc.constant("content"), content: text }), 9),
    prompt_cache_options: maybe(
      fc.record({ mode: fc.constantFrom("implicit", "explicit"), ttl: fc.constantFrom("30m", "12h") }),
    ),
    stop: maybe(text, 9),
    user: maybe(text, 9),
    extra: maybe(text, 29),
    verbosity: maybe(fc.constantFrom("low", "high"), 9),
  },
  { requiredKeys: ["model", "messages"] },
);

/**
 * What the request may be charged, every way that it may be served: in each tier, its prompt written to the cache, each choice as long as
 * it may be. 0 stands for a cost that nobody knows: it is charged as it was reserved.
 */
function charges(params: Parameters<typeof maxCostOf>[0], answer: { usage: unknown; service_tier?: string }) {
  const [usage, rates] = [usageFrom(answer.usage), priceOf(params.model, day)];
  if (!usage || !rates) throw new Error("An answer without usage or price.");
  const isOpen = params.service_tier == null || params.service_tier === "auto";
  const tiers = [answer.service_tier ?? "default", ...(isOpen ? ["priority"] : [])];
  const longest = (params.n ?? 1) * Number(params.max_completion_tokens ?? params.max_tokens);
  expect(usage.completionTokens).toBeLessThanOrEqual(longest);
  const full = { ...usage, completionTokens: longest, cachedTokens: 0, cacheWriteTokens: usage.promptTokens };
  return tiers.flatMap((tier) => [usage, full].map((counted) => costOf(counted, rates, tier, billingOf(params)) ?? 0));
}

it("whatever the simulated OpenAI answers costs at most what was reserved for it", async () => {
  const seen = { answered: 0, pictures: 0, tools: 0 };
  await fc.assert(
    fc.asyncProperty(request, maybe(fc.integer({ min: 1, max: 5_000 }), 1), async (drawn, maxOutputTokens) => {
      const { limit, count, ...others } = drawn;
      const asked = JSON.stringify({ ...others, ...(limit && { [limit]: count }) });
      const key = { keyId: "key_1", limitNanoUsd: 1e12, ...(maxOutputTokens && { maxOutputTokens }) };
      let reserved: number | null;
      let sent: ReturnType<typeof withOutputLimit>;
      try {
        sent = withOutputLimit(requestAsWritten(JSON.parse(asked), asked), key);
        const rates = priceOf(sent.params.model, day);
        if (!rates) return;
        reserved = maxCostOf(sent.params, rates);
      } catch (error) {
        // Refused before OpenAI hears of it. Anything else is a bug of the estimator.
        expect(error).toBeInstanceOf(AppError);
        return;
      }
      if (reserved === null) return;
      const response = await openai.post(sent.verbatim && "request" in sent.verbatim ? sent.verbatim.request : "");
      if (response.status !== 200) return void (await response.arrayBuffer());
      const answer = (await response.json()) as Parameters<typeof charges>[1];
      expect(Math.max(...charges(sent.params, answer)), asked.slice(0, 2_000)).toBeLessThanOrEqual(reserved);
      seen.answered += 1;
      seen.pictures += asked.includes("data:image") ? 1 : 0;
      seen.tools += asked.includes('"tools"') ? 1 : 0;
    }),
    { numRuns: 600 },
  );
  // The simulated OpenAI is strict. Enough has to pass, of each kind.
  expect(seen.answered).toBeGreaterThan(60);
  expect(Math.min(seen.pictures, seen.tools)).toBeGreaterThan(5);
});
