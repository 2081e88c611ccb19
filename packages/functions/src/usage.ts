import { usageReport } from "@tollgate/core/usage/ledger";
import { maxUsageDays, usageOptions, usageQuery } from "@tollgate/core/usage/query";
import { parseRequest } from "@tollgate/core/validation/request";
import { buffered } from "./http.ts";
import { now, tableName } from "./runtime/config.ts";
import { dynamodb } from "./runtime/dynamodb.ts";

export const handler = buffered(async ({ query, owner, headers }) => {
  const options = usageOptions(parseRequest(usageQuery, query), [owner], now(), maxUsageDays);
  const report = await usageReport(dynamodb, tableName(), options);
  if (!(await prefersCsv(headers.accept))) return { status: 200, body: report };
  const { stringify } = await import("csv-stringify/sync");
  const columns = [...options.groupBy, ...Object.keys(report.total)];
  return {
    status: 200,
    headers: { "content-type": "text/csv; charset=utf-8" },
    // A model that OpenAI does not know has the name that a caller gave it: a spreadsheet would calculate `=…`.
    body: stringify(report.data, { header: true, columns, escape_formulas: true }),
  };
});

/** RFC 9110, section 12.5.1. What reads it is loaded here, as what writes CSV: nearly every request asks for JSON. */
async function prefersCsv(accept = ""): Promise<boolean> {
  if (!/csv/i.test(accept)) return false;
  const { default: Negotiator } = await import("negotiator");
  return new Negotiator({ headers: { accept } }).mediaType(["application/json", "text/csv"]) === "text/csv";
}
