import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estimateImageTokens, sizeSeen } from "../../../packages/core/src/image/tokens.ts";
import { type ImageRate, MODELS } from "../../../packages/local/src/openai/models.ts";
import { imageTokens } from "../../../packages/local/src/openai/usage.ts";

describe("estimateImageTokens", () => {
  it("counts a base alone at low detail", () => {
    expect(estimateImageTokens("gpt-4o", 4000, 3000, "low")).toBe(85);
    expect(estimateImageTokens("gpt-4o-mini-2024-07-18", 4000, 3000, "low")).toBe(2_833);
  });

  it("counts tiles of the picture as OpenAI shrinks it", () => {
    // OpenAI's own examples: 1024 × 1024 becomes 768 × 768, 4 tiles; 2048 × 4096 becomes 768 × 1536, 6 tiles.
    expect(estimateImageTokens("gpt-4o", 1024, 1024, "high")).toBe(765);
    expect(estimateImageTokens("gpt-4o", 2048, 4096, "high")).toBe(1_105);
    expect(estimateImageTokens("gpt-5", 512, 512, "high")).toBe(210);
  });

  it("counts patches up to the model's cap", () => {
    expect(estimateImageTokens("gpt-4.1-mini", 1024, 1024, "high")).toBe(Math.ceil(1_024 * 1.62));
    expect(estimateImageTokens("o4-mini", 8000, 8000, "high")).toBe(Math.ceil(1_536 * 1.72));
  });

  it.each([
    // What users of these models were billed, less the tokens of their words.
    ["gpt-5.4", 1_600, 1_600, "high", 1, 3_008],
    ["gpt-5.5", 3_000, 3_000, "auto", 30, 318_283],
    ["gpt-5.6-sol", 4_000, 2_500, "original", 1, 11_930],
    ["gpt-6-luna", 2_400, 2_400, "auto", 1, 6_783],
  ] as const)(
    "of %s, %i × %i at %s, %i times, is within 1 % of the %i that were billed",
    (model, width, height, detail, times, tokens) => {
      const estimate = times * (estimateImageTokens(model, width, height, detail) ?? Number.NaN);
      expect(Math.abs(estimate - tokens) / tokens).toBeLessThan(0.01);
    },
  );

  it("counts at most 30,000 patches from gpt-5.6 on, and means original by auto from gpt-5.5 on", () => {
    expect(estimateImageTokens("gpt-6-astra", 20_000, 20_000, "original")).toBe(36_000);
    expect(estimateImageTokens("gpt-5.6", 20_000, 20_000, "auto")).toBe(36_000);
    expect(estimateImageTokens("gpt-5.5", 20_000, 20_000, "auto")).toBe(12_000);
    expect(estimateImageTokens("gpt-5.4", 20_000, 20_000, "auto")).toBe(3_000);
  });

  it("takes auto for high on models that count tiles", () => {
    expect(estimateImageTokens("gpt-4o", 640, 480, "auto")).toBe(estimateImageTokens("gpt-4o", 640, 480, "high"));
  });

  it("knows nothing of a model whose rule it does not know", () => {
    expect(estimateImageTokens("llava", 640, 480, "auto")).toBeNull();
    expect(estimateImageTokens("gpt-4o-audio-preview", 640, 480, "auto")).toBeNull();
  });
});

type Size = { width: number; height: number };

/** Whether more is kept than OpenAI shows at this detail, which then shrinks the picture as it would have. */
function allowsMore(model: string, image: ImageRate, detail: string, seen: Size): boolean {
  if (image.kind === "tile") return false;
  const named = detail === "auto" ? image.auto : detail;
  const { maxPatches, maxSide } = (named === "original" && image.original) || image.high;
  if (Math.max(seen.width, seen.height) > maxSide) return true;
  const most = estimateImageTokens(model, 20_000, 20_000, "high") ?? 0;
  return detail === "low" || most > Math.ceil(maxPatches * image.multiplier);
}

describe("sizeSeen", () => {
  const details = ["low", "high", "auto", "original"] as const;
  const models = fc.constantFrom(
    ...MODELS.filter(({ alias, image }) => image !== null && estimateImageTokens(alias, 1, 1, "low") !== null),
  );
  const size = fc.record({ width: fc.integer({ min: 1, max: 20_000 }), height: fc.integer({ min: 1, max: 20_000 }) });

  it.each([
    ["gpt-4o", "high", { width: 2048, height: 4096 }, { width: 768, height: 1536 }],
    ["gpt-4o-mini", "auto", { width: 6000, height: 4000 }, { width: 1152, height: 768 }],
    ["gpt-4o", "low", { width: 6000, height: 4000 }, { width: 512, height: 341 }],
    ["gpt-4o", "high", { width: 20_000, height: 3 }, { width: 2048, height: 1 }],
    // OpenAI's own example for patches.
    ["o4-mini", "high", { width: 1800, height: 2400 }, { width: 1056, height: 1408 }],
    ["gpt-5.4", "auto", { width: 6000, height: 4000 }, { width: 1920, height: 1280 }],
    ["gpt-5.5", "auto", { width: 6000, height: 4000 }, { width: 3888, height: 2592 }],
    ["gpt-6-sol", "auto", { width: 6000, height: 4000 }, { width: 6000, height: 4000 }],
  ] as const)("for %s at detail %s, of %o is %o", (model, detail, given, seen) =>
    expect(sizeSeen(model, given, detail)).toEqual(seen),
  );

  it("is the picture's own when it is small, or when the model's rule is not known", () => {
    expect(sizeSeen("gpt-4o", { width: 640, height: 480 }, "high")).toEqual({ width: 640, height: 480 });
    expect(sizeSeen("o4-mini", { width: 1024, height: 1024 }, "high")).toEqual({ width: 1024, height: 1024 });
    expect(sizeSeen("llava", { width: 9000, height: 9000 }, "low")).toEqual({ width: 9000, height: 9000 });
  });

  it("is never larger, keeps the shape to a pixel, and is not shrunk again", () => {
    fc.assert(
      fc.property(models, size, fc.constantFrom(...details), ({ alias }, given, detail) => {
        const seen = sizeSeen(alias, given, detail);
        const long = given.width > given.height ? "width" : "height";
        const scale = seen[long] / given[long];
        expect(scale).toBeLessThanOrEqual(1);
        for (const side of ["width", "height"] as const)
          expect(Math.abs(seen[side] - Math.max(1, given[side] * scale))).toBeLessThanOrEqual(1);
        expect(sizeSeen(alias, seen, detail)).toEqual(seen);
      }),
    );
  });

  it("costs as many tokens as the picture itself, by the simulated OpenAI's own count, and never reserves more", () => {
    fc.assert(
      fc.property(models, size, fc.constantFrom(...details), ({ alias, image }, given, detail) => {
        const seen = sizeSeen(alias, given, detail);
        const [before, after] = [given, seen].map(({ width, height }) =>
          estimateImageTokens(alias, width, height, detail),
        );
        expect(after).toBeLessThanOrEqual(before ?? Number.NaN);
        if (image === null || allowsMore(alias, image, detail, seen)) return;
        expect(imageTokens({ ...seen, detail: detail as "low" }, image)).toBe(
          imageTokens({ ...given, detail: detail as "low" }, image),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});
