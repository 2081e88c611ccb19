import { badRequest } from "./error.ts";
import { PAGE } from "./file.ts";
import type { Picture } from "./image.ts";
import { textOf } from "./message.ts";
import type { ImageRate, PatchLimit } from "./models.ts";
import type { ChatRequest } from "./request.ts";
import { countTokens, hashOf, tokensOf } from "./token.ts";

/** `usage` as it stands in a response. */
export interface CompletionUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number; audio_tokens: number; cache_write_tokens?: number };
  completion_tokens_details: {
    reasoning_tokens: number;
    audio_tokens: number;
    accepted_prediction_tokens: number;
    rejected_prediction_tokens: number;
  };
}

/** From OpenAI's cookbook, "How to count tokens with tiktoken" (gpt-4o and later). */
const TOKENS_PER_MESSAGE = 3;
const TOKENS_PER_NAME = 1;
const PRIMING_TOKENS = 3;

/**
 * The prompt as a sequence of tokens: its length is `prompt_tokens`, and equal beginnings mean an equal prefix, which is
 * what the prompt cache needs. Framing and image tokens stand as negative numbers. Tools and schemas come first and
 * count as their JSON, since OpenAI does not publish the text it renders them to.
 */
export function promptTokensOf(request: ChatRequest, pictures: Picture[]): number[] {
  const tokens = tokensOf(request.promptExtras);
  const waiting = [...pictures];
  for (const { role, name, parts, toolCalls } of request.messages) {
    append(tokens, TOKENS_PER_MESSAGE, hashOf(role));
    append(tokens, countTokens(role), hashOf(role));
    if (name !== null) tokens.push(...tokensOf(name), ...Array<number>(TOKENS_PER_NAME).fill(-1));
    for (const part of parts) {
      if (part.type === "text") for (const token of tokensOf(part.text)) tokens.push(token);
      else if (part.type === "file") {
        if (request.model.image) append(tokens, part.pages * imageTokens(PAGE, request.model.image), part.fingerprint);
      } else {
        const picture = waiting.shift();
        if (picture && request.model.image)
          append(tokens, imageTokens(picture, request.model.image), picture.fingerprint);
      }
    }
    for (const call of toolCalls) tokens.push(...tokensOf(call.name), ...tokensOf(call.input));
  }
  append(tokens, PRIMING_TOKENS, 0);
  return tokens;
}

function append(tokens: number[], count: number, mark: number): void {
  for (let added = 0; added < count; added++) tokens.push(-1 - Math.abs(mark));
}

type Shown = Pick<Picture, "width" | "height" | "detail">;

/** Tokens of one picture by OpenAI's vision guide (November 2026). */
export function imageTokens({ width, height, detail }: Shown, rate: ImageRate) {
  if (rate.kind === "tile") {
    if (detail === "low") return rate.baseTokens;
    const fit = Math.min(1, 2048 / Math.max(width, height));
    const shrink = fit * Math.min(1, 768 / (Math.min(width, height) * fit));
    // Rounded to pixels first, so that 768.0000001 is not a second tile.
    const tilesAlong = (side: number) => Math.ceil(Math.max(1, Math.round(side * shrink)) / 512);
    return rate.baseTokens + rate.tileTokens * tilesAlong(width) * tilesAlong(height);
  }
  return Math.ceil(patchesOf(width, height, patchLimit(detail, rate)) * rate.multiplier);
}

/** @throws OpenAIError 400 for a picture that the model would have to shrink and does not */
export function checkPatches({ width, height, detail }: Shown, rate: ImageRate, path: string): void {
  if (rate.kind === "tile") return;
  const limit = patchLimit(detail, rate);
  const fit = Math.min(1, limit.maxSide / Math.max(width, height));
  const patches = Math.ceil((width * fit) / 32) * Math.ceil((height * fit) / 32);
  if (limit.refuses && patches > limit.maxPatches)
    // In the words of Prism-Shadow/penguin-harness#573 (2026-09).
    throw badRequest(
      `The image you provided requires ${patches} patches after processing, exceeding the limit of ${limit.maxPatches}. Please resize the image and try again.`,
      path,
      "invalid_value",
    );
}

function patchLimit(
  detail: Shown["detail"],
  { high, original, auto }: Extract<ImageRate, { kind: "patch" }>,
): PatchLimit {
  if (detail === "low") return { ...high, maxSide: 512 };
  return (detail === "auto" ? auto : detail) === "original" ? (original ?? high) : high;
}

/**
 * 32-pixel patches. A picture over a limit is shrunk, keeping its shape, until it is within both. It is not cut off at the most
 * patches but shrunk until whole patches fit, so the guide's 1800×2400 example comes to 33×44 = 1,452 patches rather than 1,536.
 */
function patchesOf(width: number, height: number, { maxPatches, maxSide }: PatchLimit): number {
  const fit = Math.min(1, maxSide / Math.max(width, height), shrinkToPatches(width, height, maxPatches));
  const along = (side: number) => Math.max(1, Math.ceil(Number(((side * fit) / 32).toFixed(6))));
  return along(width) * along(height);
}

function shrinkToPatches(width: number, height: number, maxPatches: number): number {
  if (Math.ceil(width / 32) * Math.ceil(height / 32) <= maxPatches) return 1;
  const shrink = Math.sqrt((32 * 32 * maxPatches) / (width * height));
  const [across, down] = [(width * shrink) / 32, (height * shrink) / 32];
  return shrink * Math.min(Math.floor(across) / across, Math.floor(down) / down);
}

/** What a reasoning model thinks before a choice, in tokens: in steps of 64 as OpenAI bills it, more for more effort. */
export function reasoningTokensOf(request: ChatRequest): number {
  const steps = { none: 0, minimal: 1, low: 2, medium: 4, high: 8, xhigh: 16, max: 32 };
  const base = Object.entries(steps).find(([effort]) => effort === request.reasoningEffort)?.[1] ?? 0;
  const prompt = request.messages.map(textOf).join("\n");
  return base === 0 ? 0 : 64 * (base + (hashOf(prompt) % 3));
}

export function usageOf(counts: {
  promptTokens: number;
  cachedTokens: number;
  /** Null where the model does not report it. */
  cacheWriteTokens: number | null;
  /** Includes `reasoningTokens`. */
  completionTokens: number;
  reasoningTokens: number;
}): CompletionUsage {
  const { promptTokens, cachedTokens, cacheWriteTokens, completionTokens, reasoningTokens } = counts;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: {
      cached_tokens: cachedTokens,
      audio_tokens: 0,
      ...(cacheWriteTokens === null ? {} : { cache_write_tokens: cacheWriteTokens }),
    },
    completion_tokens_details: {
      reasoning_tokens: reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
