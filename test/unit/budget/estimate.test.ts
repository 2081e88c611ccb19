import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maxCostOf } from "../../../packages/core/src/budget/estimate.ts";
import { withOutputLimit } from "../../../packages/core/src/budget/output-tokens.ts";
import { AppError } from "../../../packages/core/src/error.ts";
import { InlineImage } from "../../../packages/core/src/image/inline-image.ts";
import { models } from "../../../packages/core/src/model/catalogue.ts";
import { usageFrom } from "../../../packages/core/src/openai/usage.ts";
import { requestAsWritten } from "../../../packages/core/src/openai/verbatim.ts";
import { costOf } from "../../../packages/core/src/usage/cost.ts";
import { parsePriceOverrides, priceOf, type Rates } from "../../../packages/core/src/usage/price.ts";
import { MODELS } from "../../../packages/local/src/openai/models.ts";
import { parseRequest } from "../../../packages/local/src/openai/request.ts";
import { promptTokensOf } from "../../../packages/local/src/openai/usage.ts";
import { pngOf } from "./picture.ts";

const day = new Date("2026-11-22T09:00:00Z");
type Params = Parameters<typeof maxCostOf>[0];

function ratesOf(model: string): Rates {
  const rates = priceOf(model, day);
  if (rates === null) throw new Error(`${model} has no price`);
  return rates;
}

const maxCost = (params: object, rates = ratesOf("gpt-4o-mini")) =>
  maxCostOf({ model: "gpt-4o-mini", messages: [{ role: "user", content: "Hi" }], ...params } as Params, rates) ?? 0;

const text = fc.oneof(fc.string({ unit: "grapheme", maxLength: 300 }), fc.lorem({ maxCount: 60 }));
const picture = fc
  .record({
    width: fc.integer({ min: 1, max: 9_000 }),
    height: fc.integer({ min: 1, max: 9_000 }),
    detail: fc.constantFrom("low", "high", "auto"),
  })
  .map(({ width, height, detail }) => ({ width, height, detail, url: pngOf(width, height) }));
const tool = text.map((description) => ({
  type: "function",
  function: { name: "look_up", description, parameters: { type: "object", properties: { word: { type: "string" } } } },
}));

/** Every model of the simulated OpenAI is served, those that have ended too. */
const allServed = new Date("2025-01-01");

describe("what a request can cost at most", () => {
  it("is never less than what the simulated OpenAI bills for it", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          ...MODELS.filter(({ alias, searches, audio }) => priceOf(alias, day) !== null && !searches && !audio),
        ),
        fc.array(text, { minLength: 1, maxLength: 5 }),
        fc.array(picture, { maxLength: 3 }),
        fc.option(fc.array(tool, { minLength: 1, maxLength: 4 }), { nil: undefined }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4_096 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (model, texts, pictures, tools, n, limit, fraction) => {
          const shown = model.image ? pictures : [];
          const images = shown.map(({ url, detail }) => ({ type: "image_url", image_url: { url, detail } }));
          const messages = [
            ...texts.map((content, index) => ({ role: index % 2 ? "assistant" : "user", content: content || " " })),
            { role: "user", content: [{ type: "text", text: "Look." }, ...images] },
          ];
          const taken = model.functionTools === "with effort none only" ? undefined : tools;
          const params = { model: model.alias, messages, n, tools: taken, max_completion_tokens: limit };
          const prompt_tokens = promptTokensOf(
            parseRequest(params, allServed),
            shown.map((shape) => ({
              ...shape,
              detail: shape.detail as "low",
              format: "png",
              sizeBytes: 1,
              brightness: 0,
              warmth: 0,
              dominantColors: [],
              fingerprint: 1,
            })),
          ).length;
          const detail = Math.floor(prompt_tokens * fraction);
          const usage = usageFrom({
            prompt_tokens,
            completion_tokens: n * limit,
            prompt_tokens_details: { cache_write_tokens: model.reportsCacheWrites ? detail : 0 },
          });
          const rates = ratesOf(model.alias);
          const billed = usage && costOf(usage, rates, "default");
          expect(maxCostOf(params as Params, rates)).toBeGreaterThanOrEqual(billed ?? Number.POSITIVE_INFINITY);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("counts whatever it does not recognise as text: hidden images, unknown fields, fields of an image beside its address", () => {
    const words = "word ".repeat(1_000);
    const image = { type: "image_url", image_url: { url: pngOf(8, 8) } };
    const call = { id: "c", type: "function", function: { type: "image_url", name: "f", arguments: words } };
    const user = (content: unknown) => ({ messages: [{ role: "user", content }] });
    const hidden: Record<string, unknown>[] = [
      { messages: [{ role: "assistant", tool_calls: [call] }] },
      { messages: [{ role: "assistant", content: [{ ...image, text: words }] }] },
      { messages: [{ role: "user", content: "Hi", type: "image_url", image_url: { url: words } }] },
      { messages: [{ role: "system", content: [{ ...image, image_url: { url: `data:${words}` } }] }] },
      user([{ ...image, text: words }]),
      user([{ ...image, image_url: { ...image.image_url, caption: words } }]),
      { tools: [{ type: "custom", custom: { name: "c", description: words } }] },
      { tools: [{ type: "image_url", image_url: { url: words } }] },
      { response_format: { type: "image_url", json_schema: words } },
      { instructions_of_tomorrow: words },
    ];
    for (const params of hidden) {
      // 250 nano-dollars a token: the tier that costs most.
      expect(maxCost(params), JSON.stringify(params).slice(0, 90)).toBeGreaterThan(words.length * 250);
    }
  });

  it("counts a picture outside of a user's message as a picture and as text", () => {
    const [url, caption] = ["https://example.com/cat.png", "word ".repeat(1_000)];
    const part = { type: "image_url", image_url: { url: `${url}#${caption}` } };
    for (const role of ["tool", "assistant", "system", "developer"]) {
      const cost = maxCost({ messages: [{ role, tool_call_id: "call_1", content: [part] }] });
      expect(cost, role).toBeGreaterThan((48_000 + caption.length) * 250);
    }
  });

  it("counts all digits of a number that are sent, also those that JavaScript would leave out", () => {
    const written = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}],
      "tools":[{"type":"function","function":{"name":"f","parameters":{"minimum":1.${"0".repeat(40_000)}}}}]}`;
    const { params } = requestAsWritten(JSON.parse(written), written);
    expect(maxCost(params)).toBeGreaterThan(40_000 * 250);
  });

  it("takes a picture for the largest when decoders may differ in what its base64 says", () => {
    const shown = (url: string) =>
      maxCost({ messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }] });
    const small = pngOf(8, 8);
    const [head = "", base64 = ""] = small.split(",");
    expect(shown(`${head},${base64.slice(0, 20)}\r\n${base64.slice(20)}`)).toBe(shown(small));
    for (const odd of [`${base64}====${base64}`, `${base64.slice(4)}-_-_`, `%20${base64}`, `*${base64}`])
      expect(shown(`${head},${odd}`)).toBe(shown("https://example.com/cat.png"));
  });

  it("reckons with cached input where a stage has it cost more than other input, in each tier", () => {
    const parsed = parsePriceOverrides({
      m: {
        input: 1,
        cached_input: 2,
        output: 1,
        service_tiers: { priority: { input: 1, cached_input: 9, output: 1 } },
      },
    });
    const rates = (parsed.ok && priceOf("m", day, parsed.overrides)) || undefined;
    const messages = [{ role: "user", content: "x".repeat(1_000) }];
    expect(maxCost({ model: "m", messages, max_tokens: 1 }, rates)).toBeGreaterThan(1_000 * 9_000);
  });

  it("of a 4800 × 6400 picture on gpt-6-astra is what OpenAI bills for it: 1.2 tokens for each of 30,000 patches", () => {
    const rates = ratesOf("gpt-6-astra");
    const content = [{ type: "image_url", image_url: { url: pngOf(4_800, 6_400), detail: "original" } }];
    const params = { model: "gpt-6-astra", messages: [{ role: "user", content }], max_completion_tokens: 1 };
    expect(maxCost({ ...params, service_tier: "default" }, rates)).toBeGreaterThanOrEqual(36_000 * 10_000 * 1.25);
  });

  it("lets a fresh key of $1 call every model of the catalogue that still is served, without naming a maximum", () => {
    for (const { name, ends, prices } of models) {
      const isSearch = prices.some(({ perCallNanoUsd }) => perCallNanoUsd > 0);
      if (isSearch || (ends && ends.on < "2026-11-28")) continue;
      const params = { model: name, messages: [{ role: "user", content: "Hi" }] } as Params;
      const limited = withOutputLimit({ params }, { keyId: "key_1", limitNanoUsd: 1_000_000_000 });
      expect(maxCostOf(limited.params, ratesOf(name)), name).toBeLessThanOrEqual(1_000_000_000);
    }
  });

  it("reckons with cache writes of 12 hours where the request asks for them", () => {
    const rates = ratesOf("gpt-6-luna");
    const part = { type: "text", text: "x".repeat(10_000), prompt_cache_breakpoint: { mode: "explicit", ttl: "12h" } };
    const params = { model: "gpt-6-luna", messages: [{ role: "user", content: [part] }], service_tier: "default" };
    expect(maxCost({ ...params, max_completion_tokens: 1 }, rates)).toBeGreaterThan(10_000 * 100 * 2.5);
  });

  it("counts the model's own limit when the request names none, and each choice", () => {
    const [limited, unlimited, twice] = [maxCost({ max_tokens: 16_384 }), maxCost({}), maxCost({ n: 2 })];
    expect(unlimited).toBe(limited);
    expect(twice - unlimited).toBe(16_384 * 1_000);
  });

  it.each([
    { max_tokens: -1 },
    { max_tokens: "5" },
    { max_tokens: 0.5 },
    { max_completion_tokens: 1e12 },
    { n: -3 },
    { n: "2" },
  ])("is not made smaller by a value that OpenAI would refuse: %j", (params) =>
    expect(maxCost(params)).toBeGreaterThanOrEqual(maxCost({})),
  );

  it("takes a picture behind a URL for the largest, and one whose bytes are here for what it is", () => {
    const shown = (url: unknown, detail = "high") =>
      maxCost({ messages: [{ role: "user", content: [{ type: "image_url", image_url: { url, detail } }] }] });
    const [behindUrl, small] = [shown("https://example.com/cat.png"), shown(pngOf(512, 512))];
    expect(behindUrl - small).toBe(7 * 5_667 * 250);
    expect(shown(new InlineImage(Buffer.alloc(1), { format: "png", width: 512, height: 512 }))).toBe(small);
    expect(shown("data:image/png;base64,AAAA")).toBe(behindUrl);
    expect(behindUrl - shown("https://example.com/cat.png", "low")).toBeGreaterThanOrEqual(8 * 5_667 * 150);
  });

  it("takes a picture for the dearest that is known when the model's rule is not", () => {
    const messages = [{ role: "user", content: [{ type: "image_url", image_url: { url: pngOf(8, 8) } }] }];
    expect(maxCost({ model: "llava", messages }) - maxCost({ model: "llava" })).toBeGreaterThan(48_000 * 150);
  });

  it("counts rejected predictions as completion tokens, for each choice", () => {
    const prediction = { type: "content", content: "x".repeat(1_000) };
    expect(maxCost({ prediction, n: 2 }) - maxCost({ n: 2 })).toBeGreaterThanOrEqual(2_000 * 600);
  });

  it("reckons with the surcharge for long prompts and for cache writes", () => {
    const content = "x".repeat(272_000);
    const rates = ratesOf("gpt-5.6-sol");
    const cost = maxCost(
      { model: "gpt-5.6-sol", messages: [{ role: "user", content }], max_completion_tokens: 1 },
      rates,
    );
    expect(cost).toBeGreaterThanOrEqual(272_000 * 4_000 * 2 * 1.25);
  });

  it("reckons with the dearest tier that may serve the request", () => {
    const parsed = parsePriceOverrides({
      m: { input: 1, output: 1, service_tiers: { priority: { input: 3, output: 3 } } },
    });
    const rates = (parsed.ok && priceOf("m", day, parsed.overrides)) || undefined;
    const plain = maxCost({ model: "m", service_tier: "default" }, rates);
    for (const service_tier of [undefined, "auto", "priority"])
      expect(maxCost({ model: "m", service_tier }, rates)).toBe(3 * plain);
    expect(maxCost({ model: "m", service_tier: "flex" }, rates)).toBe(plain);
  });

  it("is not known for a tier without a price", () => {
    const params = { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hi" }], service_tier: "scale" };
    expect(maxCostOf(params as Params, ratesOf("gpt-4o-mini"))).toBeNull();
  });

  it.each([
    [{ web_search_options: {} }, "web_search_options"],
    [
      { messages: [{ role: "user", content: [{ type: "file", file: { file_id: "file-1" } }] }] },
      "messages[0].content[0]",
    ],
    [{ messages: [{ role: "user", content: [{ type: "input_audio" }] }] }, "messages[0].content[0]"],
    [{ modalities: ["text", "audio"] }, "modalities"],
    [{ messages: [{ role: "user", content: [null] }] }, "messages[0].content[0]"],
    [{ messages: [{ role: "assistant", audio: { id: "audio_1" } }] }, "messages[0].audio"],
  ])("refuses what nothing bounds: %j", (params, param) => {
    expect(() => maxCost(params)).toThrow(expect.objectContaining({ code: "invalid_request", param }));
    expect(() => maxCost(params)).toThrow(AppError);
  });
});
