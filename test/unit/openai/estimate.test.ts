import { estimateUsage } from "@tollgate/core/openai/estimate";
import { InlineImage } from "@tollgate/core/vision/inline-image";
import { expect, test } from "vitest";

const withImage = (url: unknown) =>
  ({
    model: "gpt-4o",
    messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }],
  }) as unknown as Parameters<typeof estimateUsage>[0];

test("leaves images out, however they are held", () => {
  const bytes = Buffer.alloc(100_000);
  const none = estimateUsage(withImage(""), 5);
  expect(none).toMatchObject({ completionTokens: 5, totalTokens: none.promptTokens + 5 });
  expect(estimateUsage(withImage(new InlineImage(bytes, { format: "png", width: 640, height: 480 })), 5)).toEqual(none);
  expect(estimateUsage(withImage(`data:image/png;base64,${bytes.toString("base64")}`), 5)).toEqual(none);
});
