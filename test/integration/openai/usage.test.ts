import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { countTokens, piecesOf, tokensOf } from "../../../packages/local/src/openai/token.ts";
import { dataUrl, saying, showing, simulate, wire } from "./simulation.ts";

const openai = await simulate();

async function usageOf(body: unknown) {
  const response = await openai.post(body);
  expect(response.status).toBe(200);
  return (await wire(response)).usage;
}

describe("prompt tokens", () => {
  it("are those of the text, 3 a message, the role, and 3 to prime the answer", async () => {
    // "hello world" is 2 tokens of o200k_base, the role 1: 3 + 1 + 2, then 3.
    expect((await usageOf(saying("hello world"))).prompt_tokens).toBe(9);
  });

  it("count a name as its tokens and one more", async () => {
    const messages = [
      { role: "system", content: "hello world" },
      { role: "user", name: "hello", content: "hello world" },
    ];
    expect((await usageOf({ model: "gpt-4o", messages })).prompt_tokens).toBe(6 + 6 + 2 + 3);
  });

  it("include tools and schemas", async () => {
    const tools = [{ type: "function", function: { name: "lookup" } }];
    expect((await usageOf(saying("hello world", { tools }))).prompt_tokens).toBeGreaterThan(9);
  });
});

it("a megabyte without a space is counted as fast as any other text", async () => {
  const count = countTokens("x".repeat(1_000_000));
  // Eight letters a token, and at most one more for each piece that it is cut into.
  expect(count).toBeGreaterThanOrEqual(125_000);
  expect(count).toBeLessThanOrEqual(125_000 + 2_000);
  const text = `${"x".repeat(1_234)} ${"漢".repeat(1_234)}${"😀".repeat(1_234)}`;
  expect(piecesOf(tokensOf(text)).join("")).toBe(text);
});

describe("image tokens", () => {
  const baseline = new Map<string, number>();
  async function tokensOf(model: string, width: number, height: number, detail?: string) {
    const png = await sharp({ create: { width, height, channels: 3, background: "#fff" } })
      .png()
      .toBuffer();
    const body = showing(dataUrl(png, "image/png"), { model }, detail);
    const text = { model, messages: [{ role: "user", content: [body.messages[0]?.content[0]] }] };
    if (!baseline.has(model)) baseline.set(model, (await usageOf(text)).prompt_tokens);
    return (await usageOf(body)).prompt_tokens - (baseline.get(model) ?? 0);
  }

  it.each<[string, number, number, string | undefined, number]>([
    ["gpt-4o", 1024, 1024, "high", 85 + 4 * 170],
    ["gpt-4o", 2048, 4096, "high", 85 + 6 * 170],
    ["gpt-4o", 4096, 4096, "low", 85],
    ["gpt-4o", 512, 512, undefined, 85 + 170],
    ["gpt-4o-mini", 640, 480, "auto", 2833 + 2 * 5667],
    ["gpt-4o-mini", 640, 480, "low", 2833],
    ["gpt-4.1", 513, 100, "high", 85 + 2 * 170],
    ["gpt-5", 1024, 1024, "high", 70 + 4 * 140],
    ["o3", 1024, 1024, "high", 75 + 4 * 150],
    // 1024×1024 is 32×32 patches; the guide's 1800×2400 is shrunk to 33×44.
    ["gpt-4.1-mini", 1024, 1024, "high", Math.ceil(1024 * 1.62)],
    ["gpt-4.1-mini", 1800, 2400, "high", Math.ceil(1452 * 1.62)],
    ["gpt-4.1-nano", 33, 32, "high", Math.ceil(2 * 2.46)],
    ["o4-mini", 64, 64, "high", Math.ceil(4 * 1.72)],
    // From gpt-5.2 on, mini and nano aside, a patch is 1.2 tokens.
    ["gpt-5.2", 1024, 1024, "high", Math.ceil(1024 * 1.2)],
    ["gpt-5.4", 2048, 2048, "original", Math.ceil(64 * 64 * 1.2)],
    ["gpt-5.4", 2048, 2048, "high", 50 * 50 * 1.2],
    ["gpt-5.4", 2048, 2048, "auto", 50 * 50 * 1.2],
    ["gpt-5.4-mini", 1024, 1024, "high", Math.ceil(1024 * 1.62)],
    // `high` shows no side longer than 2,048 pixels.
    ["gpt-5.4", 4096, 512, "high", Math.ceil(64 * 8 * 1.2)],
    // On 5.5 and later `auto`, which is also no detail at all, means `original`; 5.5 shrinks to 10,000 patches.
    ["gpt-5.5", 2048, 2048, "auto", Math.ceil(64 * 64 * 1.2)],
    ["gpt-5.5", 4000, 4000, undefined, 12_000],
    ["gpt-6-luna", 2400, 2400, undefined, 75 * 75 * 1.2],
    ["gpt-5.6-sol", 4000, 2500, "original", Math.ceil(125 * 79 * 1.2)],
  ])("of %s for %i×%i at %s are %i", async (model, width, height, detail, tokens) => {
    expect(await tokensOf(model, width, height, detail)).toBe(tokens);
  });
});

describe("completion tokens", () => {
  it("are those of the content, for every choice", async () => {
    const one = await usageOf(saying("hi", { max_tokens: 5 }));
    const three = await usageOf(saying("hi", { max_tokens: 5, n: 3 }));
    expect(one).toMatchObject({ completion_tokens: 5, total_tokens: one.prompt_tokens + 5 });
    expect(three.completion_tokens).toBe(15);
    expect(three.prompt_tokens).toBe(one.prompt_tokens);
  });

  it("include the reasoning, which is the same each time and grows with the effort", async () => {
    const reasoning = async (changes: object) =>
      (await usageOf(saying("hi", { model: "gpt-5.1", ...changes }))).completion_tokens_details.reasoning_tokens;
    const low = await reasoning({ reasoning_effort: "low" });
    expect(low).toBeGreaterThan(0);
    expect(await reasoning({ reasoning_effort: "low" })).toBe(low);
    expect(await reasoning({ reasoning_effort: "high" })).toBeGreaterThan(low);
    expect(await reasoning({ reasoning_effort: "none" })).toBe(0);
    const { completion_tokens } = await usageOf(saying("hi", { model: "gpt-5.1", reasoning_effort: "low" }));
    expect(completion_tokens).toBeGreaterThan(low);
  });

  it("may all go to the reasoning, leaving an empty answer cut off by length", async () => {
    const body = await wire(await openai.post(saying("hi", { model: "o3", max_completion_tokens: 10 })));
    expect(body.choices[0]).toMatchObject({ finish_reason: "length", message: { content: "" } });
    expect(body.usage).toMatchObject({ completion_tokens: 10, completion_tokens_details: { reasoning_tokens: 10 } });
  });
});

describe("prompt caching", () => {
  const long = (mark: string, words: number) =>
    `${mark} ${Array.from({ length: words }, (_, i) => `word${i}`).join(" ")}`;

  it("reports nothing under 1,024 tokens or at first sight", async () => {
    const short = saying("short");
    await usageOf(short);
    expect((await usageOf(short)).prompt_tokens_details.cached_tokens).toBe(0);
    expect((await usageOf(saying(long("first", 1000)))).prompt_tokens_details.cached_tokens).toBe(0);
  });

  it("reports a repeated prefix in steps of 128, within prompt_tokens and for the same model only", async () => {
    const text = long("again", 1000);
    const { prompt_tokens } = await usageOf(saying(text));
    const expected = Math.floor(prompt_tokens / 128) * 128;
    expect(await usageOf(saying(text))).toMatchObject({
      prompt_tokens,
      prompt_tokens_details: { cached_tokens: expected },
    });
    expect((await usageOf(saying(`${text} and more`))).prompt_tokens_details.cached_tokens).toBeGreaterThanOrEqual(
      expected - 128,
    );
    expect((await usageOf(saying(text, { model: "gpt-4o" }))).prompt_tokens_details.cached_tokens).toBe(0);
  });

  it("reports what it writes from gpt-5.6 on", async () => {
    const request = saying(long("written", 1000), { model: "gpt-5.6-luna" });
    const first = (await usageOf(request)).prompt_tokens_details;
    const second = (await usageOf(request)).prompt_tokens_details;
    expect(first).toMatchObject({ cached_tokens: 0, cache_write_tokens: expect.any(Number) });
    expect(second).toMatchObject({ cached_tokens: first.cache_write_tokens, cache_write_tokens: 0 });
  });
});
