/** One function to start in a fresh process, and what it is sent. */
export interface Task {
  /** A module, and the name under which it exports the handler. */
  module: string;
  exportName: string;
  /** An event as JSON, in which `{n}` stands for its number. */
  event: string;
  /** How many events come after the first. */
  events: number;
}

/** What one process took. Times in milliseconds, memory in bytes. */
export interface Measured {
  /** Without a runtime, the import of the bundle; under one, from the start of Node.js until it asks for the first event. */
  initMs: number;
  firstMs: number;
  /** Of the process, for init and first event. */
  coldCpuMs: number;
  /** Of each event after the first. */
  warmMs: number[];
  warmCpuMs: number;
  peakBytes: number;
  /** Between a stream's first chunk at OpenAI and the first byte of ours, for each event after the first. */
  firstByteMs: number[];
}

/** As JSON. */
export const eventAt = ({ event }: Pick<Task, "event">, n: number): string => event.replaceAll("{n}", String(n));

/** Throws for an answer that is neither a success over HTTP nor an authorizer's yes. */
export function expectSuccess(head: { statusCode?: number; principalId?: string } | undefined, text: string): void {
  const status = head?.statusCode ?? 0;
  if (!head?.principalId && (status < 200 || status > 299)) throw new Error(`The function answered ${text}`);
}

/** How long ago the stand-in for OpenAI sent the chunk in this piece of a response, in ms; null when none tells. */
export function sinceOpenAI(piece: string): number | null {
  const sent = /"fp_(\d{5,})"/.exec(piece)?.[1];
  return sent === undefined ? null : Number(process.hrtime.bigint() - BigInt(sent)) / 1e6;
}
