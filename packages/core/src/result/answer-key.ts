/** Answers over this size go to the answer store. In bytes of UTF-8. */
export const maxInlineAnswerBytes = 350_000;

/** The attempt is part of the key, so that a late attempt cannot overwrite the answer of the one that settled. */
export const answerKey = (owner: string, resultId: string, leaseId: string): string =>
  `outputs/${owner}/${resultId}/${leaseId}.json`;
