import { decodeGenerator, encode } from "gpt-tokenizer/encoding/o200k_base";

/** Text that looks like a special token (`<|endoftext|>`) is counted as the plain text it is. */
const AS_PLAIN_TEXT = { disallowedSpecial: new Set<string>() };

/**
 * What no tokenizer would cut is cut here after so many characters, white space or not: the encoder's time grows with the square of
 * such a piece, so that a megabyte of one letter would hold the whole stage up for minutes. Costs a token for some of the cuts.
 */
const LONGEST_PIECE = /(\S{500}|\s{500})/u;

export function tokensOf(text: string): number[] {
  return text.split(LONGEST_PIECE).flatMap((piece) => encode(piece, AS_PLAIN_TEXT));
}

export function countTokens(text: string): number {
  return tokensOf(text).length;
}

/** The text of each token; a character that spans several tokens comes whole with its last one, as OpenAI streams it. */
export function piecesOf(tokens: number[]): string[] {
  return [...decodeGenerator(tokens)].filter((piece) => piece !== "");
}

/** A 32-bit FNV-1a hash: what makes every choice in an answer the same for the same request. */
export function hashOf(text: string): number {
  let hash = 2_166_136_261;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 16_777_619);
  return hash >>> 0;
}
