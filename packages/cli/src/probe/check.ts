/** What a belief is about; also what `--only` takes. */
export const topics = ["models", "parameters", "tools", "schemas", "images", "errors"] as const;
export type Topic = (typeof topics)[number];

/** One belief about OpenAI, and how to ask OpenAI about it. */
export interface Check {
  topic: Topic;
  /** What is asked, such as `gpt-4o: max_tokens`. */
  question: string;
  belief: string;
  /** More than the question can cost. */
  maxCostNanoUsd: number;
  /** @returns what OpenAI says, in the words of a belief @throws when it cannot be asked */
  ask(openai: OpenAIProbe): Promise<string>;
  /** Whether reality is what was believed; equal words, unless this says otherwise. */
  agrees?(reality: string): boolean;
}

/** An answer of OpenAI's, an error too. */
export interface Answer {
  status: number;
  body: unknown;
}

/** OpenAI as the probe asks it. */
export interface OpenAIProbe {
  /** @throws Unreachable */
  get(path: string): Promise<Answer>;
  /** Asks for a completion and counts what it costs. `key` asks with another key. @throws Unreachable */
  complete(body: Record<string, unknown> & { model: string }, options?: { key?: string }): Promise<Answer>;
}

/** OpenAI gave no answer that tells anything: a broken connection, a rate limit, a failure of its own. */
export class Unreachable extends Error {}
