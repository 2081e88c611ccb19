import type { Result } from "./result.ts";

/** Answers over this size go to the answer store. In bytes of UTF-8. */
export const maxInlineAnswerBytes = 350_000;

/** What an announced upload asked for lies in the same item: its prompt may take 128,000 bytes of DynamoDB's 400 KB. */
export const isLarge = (answer: string, { upload }: Pick<Result, "upload">): boolean =>
  Buffer.byteLength(answer) + Buffer.byteLength(upload ? JSON.stringify(upload) : "") > maxInlineAnswerBytes;

/** The attempt is part of the key, so that a late attempt cannot overwrite the answer of the one that settled. */
export const answerKey = (owner: string, resultId: string, leaseId: string): string =>
  `outputs/${owner}/${resultId}/${leaseId}.json`;
