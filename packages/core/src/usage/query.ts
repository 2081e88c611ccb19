import * as z from "zod";
import { AppError } from "../error.ts";
import type { Dimension, UsageOptions } from "./ledger.ts";

const day = z.iso.date({ error: "Give a day in UTC, as 2026-11-22." });
const dimensions: readonly Dimension[] = ["day", "model"];

/** What `GET /usage` accepts in its query string. */
export const usageQuery = z.strictObject({
  from: day.optional(),
  to: day.optional(),
  group_by: z
    .string()
    .default("day,model")
    .transform((text) => text.split(",").filter(Boolean))
    .pipe(z.array(z.enum(["day", "model"], { error: "Give day, model or both: day,model." }))),
});

/** The days asked for; left out, this month until today. */
export function usageOptions(query: z.infer<typeof usageQuery>, owners: readonly string[], now: Date): UsageOptions {
  const today = now.toISOString().slice(0, 10);
  const to = query.to ?? today;
  const from = query.from ?? `${to.slice(0, 7)}-01`;
  if (from > to) throw new AppError("invalid_request", `from: ${from} is after to, ${to}.`, { param: "from" });
  return {
    owners,
    from,
    to,
    groupBy: dimensions.filter((dimension) => (query.group_by as Dimension[]).includes(dimension)),
  };
}
