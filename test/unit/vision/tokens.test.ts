import { describe, expect, it } from "vitest";
import { estimateImageTokens } from "../../../packages/core/src/vision/tokens.ts";

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

  it("takes auto for high, the dearer one", () => {
    expect(estimateImageTokens("gpt-4o", 640, 480, "auto")).toBe(estimateImageTokens("gpt-4o", 640, 480, "high"));
  });

  it("knows nothing of a model whose rule it does not know", () => {
    expect(estimateImageTokens("llava", 640, 480, "auto")).toBeNull();
    expect(estimateImageTokens("gpt-4o-audio-preview", 640, 480, "auto")).toBeNull();
  });
});
