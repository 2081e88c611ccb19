import { badRequest } from "./error.ts";
import { stringAt } from "./parameter.ts";

/** The day that the simulated OpenAI believes it is. */
export interface Clock {
  now(): Date;
  /** Stops the clock at an instant; null lets it run again. */
  set(instant: Date | null): void;
}

export function createClock(running: () => Date = () => new Date()): Clock {
  let stopped: Date | null = null;
  return {
    now: () => stopped ?? running(),
    set: (instant) => {
      stopped = instant;
    },
  };
}

/** @throws OpenAIError 400 */
export function dateAt(value: unknown, path: string): Date {
  const date = new Date(stringAt(value, path));
  if (Number.isNaN(date.getTime())) throw badRequest(`Invalid '${path}': expected a date such as '2026-11-28'.`, path);
  return date;
}
