import { decodeTime, encodeTime } from "ulid";
import * as z from "zod";
import { AppError } from "../error.ts";
import { maxScannedPerPage } from "./page.ts";
import { kinds, type Result, statuses } from "./result.ts";

const moment = z.union([z.iso.date(), z.iso.datetime()], {
  error: "Give a day (2026-11-22) or a time in UTC (2026-11-22T09:00:00Z).",
});

/** A ULID's time, before the year 6430, and a result's id. Whatever has this form is a position. */
const cursorPattern = /^cur_[0-3][0-9A-HJKMNP-TV-Z]{35}$/;
const timeLength = 10;
const ulidLength = 26;
const maxLimit = 100;

/** What `GET /results` accepts in its query string. */
export const resultsQuery = z.strictObject({
  kind: z.enum(kinds).optional(),
  status: z.enum(statuses).optional(),
  from: moment
    .optional()
    .meta({ description: "Results made at or after this day or time, in UTC.", examples: ["2026-11-22"] }),
  to: moment.optional().meta({ description: "Results made at or before it: a day includes its last moment." }),
  limit: z
    .string()
    .regex(/^[1-9][0-9]*$/, `Give a number from 1 to ${maxLimit}.`)
    .transform(Number)
    .pipe(z.int().min(1).max(maxLimit))
    .default(20)
    .meta({
      description: `How many results at most. A page may be shorter, or even empty, and still have a next one: with \`kind\` or \`status\`, since no more than ${maxScannedPerPage} results are looked at for one page; where results have expired; and where they are so large that no more fit into one answer.`,
      override: { type: "integer", minimum: 1, maximum: maxLimit, default: 20, pattern: undefined },
    }),
  cursor: z
    .string()
    .regex(cursorPattern, "Give the next_cursor of an earlier page, unchanged.")
    .optional()
    .meta({ description: "The `next_cursor` of an earlier page: this one begins after it." }),
});

type Position = Pick<Result, "createdAt" | "id">;

/** Where a page begins, as text that says nothing to whoever carries it. It is only ever looked up below the caller's own results. */
export const encodeCursor = ({ createdAt, id }: Position): string =>
  `cur_${encodeTime(Date.parse(createdAt), timeLength)}${id.slice("res_".length)}`;

function decodeCursor(cursor: string): Position {
  const text = cursor.slice("cur_".length);
  const createdMs = decodeTime(text.slice(0, ulidLength));
  return { createdAt: new Date(createdMs).toISOString(), id: `res_${text.slice(timeLength)}` };
}

/** What to list, in whole times. Throws `invalid_range` when no result could lie in it. */
export function resultsOptions({ from, to, cursor, ...filters }: z.infer<typeof resultsQuery>) {
  const range = { from: from && timeOf(from, "T00:00:00.000Z"), to: to && timeOf(to, "T23:59:59.999Z") };
  if (from && to && (range.from ?? "") > (range.to ?? "")) {
    throw new AppError("invalid_range", `from: ${from} is after to, ${to}.`, { param: "from" });
  }
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  // DynamoDB refuses to begin outside of the range that it is asked for.
  if (after && ((range.from && after.createdAt < range.from) || (range.to && after.createdAt > range.to))) {
    throw new AppError("invalid_range", "cursor: It belongs to a page of another from or to.", { param: "cursor" });
  }
  return { ...filters, ...range, after };
}

/** As results are dated, to the millisecond: texts compare only when they are written alike. */
const timeOf = (moment: string, timeOfDay: string): string =>
  new Date(moment.includes("T") ? moment : moment + timeOfDay).toISOString();
