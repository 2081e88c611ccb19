import * as z from "zod";
import { AppError } from "../error.ts";
import { isResultId } from "./id.ts";
import { kinds, type Result, statuses } from "./result.ts";

const moment = z.union([z.iso.date(), z.iso.datetime()], {
  error: "Give a day (2026-11-22) or a time in UTC (2026-11-22T09:00:00Z).",
});

/** What `GET /results` accepts in its query string. */
export const resultsQuery = z.strictObject({
  kind: z.enum(kinds).optional(),
  status: z.enum(statuses).optional(),
  from: moment.optional(),
  to: moment.optional(),
  limit: z.coerce.number({ error: "Give a number from 1 to 100." }).int().min(1).max(100).default(20),
  cursor: z.string().optional(),
});

type Position = Pick<Result, "createdAt" | "id">;

/** Where a page begins, as text that says nothing to whoever carries it. It is only ever looked up below the caller's own results. */
export const encodeCursor = ({ createdAt, id }: Position): string =>
  Buffer.from(`${createdAt}#${id}`).toString("base64url");

export function decodeCursor(cursor: string): Position {
  const [createdAt = "", id = ""] = Buffer.from(cursor, "base64url").toString("utf8").split("#");
  if (!z.iso.datetime().safeParse(createdAt).success || !isResultId(id)) {
    throw new AppError("invalid_request", "cursor: Give the next_cursor of an earlier page, unchanged.", {
      param: "cursor",
    });
  }
  return { createdAt, id };
}
