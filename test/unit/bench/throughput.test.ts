import { describe, expect, it } from "vitest";
import { type Analysed, busySpan, throughput, warmUpMs } from "../../../bench/bulk/throughput.ts";

/** An image in an invocation: 10 ms until OpenAI is asked, whose answer takes 200, and 20 until it is settled. */
const image = (invocation: string, startMs: number): Analysed => ({
  invocation,
  startMs,
  answeredMs: startMs + 210,
  openaiMs: 200,
  endMs: startMs + 230,
});

/** Two environments that work without a break from `fromMs`: an invocation of two images each 250 ms. */
const twoBusy = (fromMs: number, untilMs: number): Analysed[] => {
  const images: Analysed[] = [];
  for (let atMs = fromMs; atMs < untilMs; atMs += 250)
    for (const environment of ["a", "b"])
      images.push(image(`${environment}${atMs}`, atMs), image(`${environment}${atMs}`, atMs));
  return images;
};

describe("the time in which there is work for every environment", () => {
  it("begins when all have come and had time to warm up, and ends with the last batch's beginning", () => {
    const alone = [image("first", 0), image("second", 250)];
    const images = [...alone, ...twoBusy(1_000, 11_000)];
    expect(busySpan(images)).toEqual({ startMs: 1_000 + warmUpMs, endMs: 10_750 });
  });

  it("is none where the work was over too soon", () => {
    expect(busySpan(twoBusy(0, warmUpMs))).toBeNull();
    expect(busySpan([])).toBeNull();
  });
});

describe("throughput in a span", () => {
  const images = twoBusy(0, 20_000);

  it("counts each image by as much of its time as lies within", () => {
    const { seconds, images: counted, imagesPerSecond } = throughput(images, { startMs: 10_000, endMs: 12_000 });
    expect(seconds).toBe(2);
    expect(counted).toBeCloseTo(32);
    expect(imagesPerSecond).toBeCloseTo(16);
    expect(throughput([image("a", 0)], { startMs: 115, endMs: 1_115 }).images).toBeCloseTo(0.5);
  });

  it("counts none twice in spans that follow each other", () => {
    const cuts = [0, 4_900, 9_900, 20_000];
    const spans = cuts.slice(1).map((endMs, n) => ({ startMs: cuts[n] ?? 0, endMs }));
    const counts = spans.map((span) => throughput(images, span).images);
    expect(counts.reduce((sum, count) => sum + count)).toBeCloseTo(images.length);
  });

  it("says how much was at work on average: two invocations of two images, 230 of 250 ms", () => {
    const { invocationsAtWork, imagesAtWork } = throughput(images, { startMs: 10_000, endMs: 12_000 });
    expect([invocationsAtWork, imagesAtWork]).toEqual([1.84, 3.68]);
  });

  it("says what an image takes before, at and after OpenAI", () => {
    const { imageMs } = throughput(images, { startMs: 10_000, endMs: 12_000 });
    expect(imageMs).toEqual({ before: 10, openai: 200, after: 20, whole: 230 });
  });

  it("takes a batch for as long as its slowest image", () => {
    const batch = [image("a", 0), { ...image("a", 0), endMs: 1_000 }];
    expect(throughput(batch, { startMs: 0, endMs: 2_000 }).invocationsAtWork).toBe(0.5);
  });
});
