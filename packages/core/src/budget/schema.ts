import * as z from "zod";

/** What a call is charged against: a key that has a budget for each month. */
export const keyBudget = z.object({
  keyId: z.string(),
  limitNanoUsd: z.int(),
  /** The most output tokens that a request may ask for. A request that names no number is sent with this one. */
  maxOutputTokens: z.int().optional(),
});
export type KeyBudget = z.infer<typeof keyBudget>;

/** What a running attempt may cost at most, kept back from its key's budget until it ends. */
export const reservation = z.object({ key_id: z.string(), month: z.string(), nano_usd: z.int() });
export type Reservation = z.infer<typeof reservation>;
