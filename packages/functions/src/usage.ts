import { parseRequest } from "@tollgate/core/request";
import { usageReport } from "@tollgate/core/usage/ledger";
import { maxUsageDays, usageOptions, usageQuery } from "@tollgate/core/usage/query";
import { buffered } from "./http.ts";
import { now, tableName } from "./runtime/config.ts";
import { dynamodb } from "./runtime/dynamodb.ts";

export const handler = buffered(async ({ query, owner, headers }) => {
  const options = usageOptions(parseRequest(usageQuery, query), [owner], now(), maxUsageDays);
  const report = await usageReport(dynamodb, tableName(), options);
  if (!headers.accept?.includes("text/csv")) return { status: 200, body: report };
  // Loaded here, since nearly every request asks for JSON.
  const { stringify } = await import("csv-stringify/sync");
  const columns = [...options.groupBy, ...Object.keys(report.total)];
  return {
    status: 200,
    headers: { "content-type": "text/csv; charset=utf-8" },
    // A model that OpenAI does not know has the name that a caller gave it: a spreadsheet would calculate `=…`.
    body: stringify(report.data, { header: true, columns, escape_formulas: true }),
  };
});
