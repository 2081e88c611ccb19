import { quantile } from "../quantile.ts";

/** An image, from when its function begins with it until it is settled, by the function's own clock in epoch milliseconds. */
export interface Analysed {
  /** The invocation, which has a whole batch. */
  invocation: string;
  startMs: number;
  /** OpenAI's answer has come, after so long. */
  answeredMs: number;
  openaiMs: number;
  endMs: number;
}

interface Span {
  startMs: number;
  endMs: number;
}

export interface Throughput {
  /** Seconds that were measured, and images done in them. */
  seconds: number;
  images: number;
  imagesPerSecond: number;
  /** What an image takes, of those settled in the span: medians. `before` it is claimed and read, `after` it is settled. */
  imageMs: { before: number; openai: number; after: number; whole: number };
  /** Invocations and images at work, on average. */
  invocationsAtWork: number;
  imagesAtWork: number;
}

/** From when all environments are at work, a while for them to warm up and for their code to be compiled. */
export const warmUpMs = 5_000;

/**
 * The time in which there is work for every environment: from `warmUpMs` after the first moment at which as many invocations
 * ran as ever did, until the last one begins, since from then on an environment that gets free may stay so. null when nothing
 * of it is left.
 */
export function busySpan(images: readonly Analysed[]): Span | null {
  const batches = batchesOf(images);
  const steps = batches
    .flatMap(({ startMs, endMs }) => [
      { atMs: startMs, change: 1 },
      { atMs: endMs, change: -1 },
    ])
    .sort((a, b) => a.atMs - b.atMs || a.change - b.change);
  let [atWork, most, fullMs] = [0, 0, 0];
  for (const { atMs, change } of steps) {
    atWork += change;
    if (atWork > most) [most, fullMs] = [atWork, atMs];
  }
  const span = { startMs: fullMs + warmUpMs, endMs: Math.max(...batches.map(({ startMs }) => startMs)) };
  return span.endMs > span.startMs ? span : null;
}

/**
 * What came of these images in a span. An image counts by as much of its time as lies within: where the environments work in
 * step, a span is seldom a whole number of their steps.
 */
export function throughput(images: readonly Analysed[], span: Span): Throughput {
  const settled = images.filter(({ endMs }) => endMs >= span.startMs && endMs < span.endMs);
  const seconds = (span.endMs - span.startMs) / 1000;
  const done = images.reduce((sum, image) => sum + overlapMs(image, span) / (image.endMs - image.startMs), 0);
  const atWork = (spans: readonly Span[]) =>
    spans.reduce((total, one) => total + overlapMs(one, span), 0) / (seconds * 1000);
  return {
    seconds,
    images: done,
    imagesPerSecond: done / seconds,
    imageMs: {
      before: median(settled.map(({ startMs, answeredMs, openaiMs }) => answeredMs - openaiMs - startMs)),
      openai: median(settled.map(({ openaiMs }) => openaiMs)),
      after: median(settled.map(({ answeredMs, endMs }) => endMs - answeredMs)),
      whole: median(settled.map(({ startMs, endMs }) => endMs - startMs)),
    },
    invocationsAtWork: atWork(batchesOf(images)),
    imagesAtWork: atWork(images),
  };
}

/** An invocation begins with the first of its images and ends with the last. */
function batchesOf(images: readonly Analysed[]): Span[] {
  return [...Map.groupBy(images, ({ invocation }) => invocation).values()].map((batch) => ({
    startMs: Math.min(...batch.map(({ startMs }) => startMs)),
    endMs: Math.max(...batch.map(({ endMs }) => endMs)),
  }));
}

const overlapMs = (one: Span, other: Span): number =>
  Math.max(0, Math.min(one.endMs, other.endMs) - Math.max(one.startMs, other.startMs));

const median = (numbers: readonly number[]): number => quantile(numbers, 0.5);
