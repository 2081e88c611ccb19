import * as z from "zod";
import { AppError } from "../error.ts";
import type { Dimension, UsageOptions } from "./ledger.ts";

const day = z.iso.date({ error: "Give a day in UTC, as 2026-11-22." });
/** What one answer of `GET /usage` covers, however long the ledger is: a year, leap years included. */
export const maxUsageDays = 366;
const dayMs = 24 * 3600 * 1000;
const dimensions = ["day", "model"] as const satisfies readonly Dimension[];

/** What `GET /usage` accepts in its query string. */
export const usageQuery = z.strictObject({
  from: day.optional().meta({
    description: `First day, in UTC, at most ${maxUsageDays} days before the end of \`to\`. Left out: the first of the month of \`to\`.`,
    examples: ["2026-11-01"],
  }),
  to: day.optional().meta({ description: "Last day, in UTC, included. Left out: today." }),
  group_by: z
    .string()
    .transform((text) => (text === "" ? [] : text.split(",")))
    .pipe(z.array(z.enum(dimensions, { error: "Give day, model or both: day,model." })))
    .prefault("day,model")
    .meta({
      description: "One row for each of these, in one list: `day,model`. Empty for the total alone.",
      param: { style: "form", explode: false },
      override: { type: "array", items: { type: "string", enum: [...dimensions] }, default: [...dimensions] },
    }),
});

/**
 * The days asked for; left out, this month until today. Throws `invalid_range` when they are in the wrong order, or more than
 * `maxDays`.
 */
export function usageOptions(
  query: z.infer<typeof usageQuery>,
  owners: readonly string[],
  now: Date,
  maxDays = Number.POSITIVE_INFINITY,
): UsageOptions {
  const today = now.toISOString().slice(0, 10);
  const to = query.to ?? today;
  const from = query.from ?? `${to.slice(0, 7)}-01`;
  if (from > to) throw new AppError("invalid_range", `from: ${from} is after to, ${to}.`, { param: "from" });
  if (Date.parse(to) - Date.parse(from) >= maxDays * dayMs) {
    throw new AppError("invalid_range", `from: ${from} to ${to} is more than ${maxDays} days. Ask for them in parts.`, {
      param: "from",
    });
  }
  return { owners, from, to, groupBy: dimensions.filter((dimension) => query.group_by.includes(dimension)) };
}
