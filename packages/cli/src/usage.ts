import { usageReport } from "@tollgate/core/usage/ledger";
import { ownersWithUsage } from "@tollgate/core/usage/owners";
import { usageOptions, usageQuery } from "@tollgate/core/usage/query";
import { parseRequest } from "@tollgate/core/validation/request";
import { table } from "@tollgate/local/table";
import { stringify } from "csv-stringify/sync";
import { parseCommand, run, UsageError } from "./command.ts";
import { openLedger } from "./ledger.ts";

const usage = `npm run usage                            this month's tokens and cost, per day, owner and model
      -- --owner acme                    of one owner only
      -- --from 2026-11-01 --to 2026-11-30   of these days (UTC), both included
      -- --csv                           as CSV
      -- --json                          as JSON

It works on the running local stage (--dir FOLDER when it was started with one); for a deployed one:
npx sst shell --stage <stage> -- npm run usage`;

const dimensions = ["day", "owner", "model"] as const;

async function main(): Promise<void> {
  const { values, positionals } = parseCommand({
    owner: { type: "string" },
    from: { type: "string" },
    to: { type: "string" },
    csv: { type: "boolean" },
    json: { type: "boolean" },
  });
  if (values.help) return console.log(usage);
  if (positionals.length > 0) throw new UsageError(`What is "${positionals.join(" ")}"?`);
  if (values.csv && values.json) throw new UsageError("Give --csv or --json, not both.");
  const { from, to } = usageOptions(parseRequest(usageQuery, { from: values.from, to: values.to }), [], new Date());
  const { dynamodb, tableName } = openLedger(values.dir);
  const owners = values.owner ? [values.owner] : await ownersWithUsage(dynamodb, tableName, { from, to });
  const report = await usageReport(dynamodb, tableName, { owners, from, to, groupBy: dimensions });
  if (values.json) return console.log(JSON.stringify(report, null, 2));
  if (values.csv) {
    const columns = [...dimensions, ...Object.keys(report.total)];
    // A model that OpenAI does not know has the name that a caller gave it: a spreadsheet would calculate `=…`.
    return void process.stdout.write(stringify(report.data, { header: true, columns, escape_formulas: true }));
  }
  if (report.data.length === 0) return console.log(`Nothing was used from ${from} to ${to}.`);
  console.log(table(report.data.map(narrow), { day: "total", ...narrow(report.total) }));
}

type Row = Awaited<ReturnType<typeof usageReport>>["data"][number];

/** A row that fits on a terminal: shorter names, and no sum of two columns that stand beside each other. */
function narrow({ total_tokens: _, ...row }: Row) {
  const { prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, ...counts } = row;
  const { requests, failed, unpriced_requests, estimated_requests, unaccounted_attempts, cost_usd, ...group } = counts;
  return {
    ...group,
    requests,
    failed,
    prompt: prompt_tokens,
    cached: cached_tokens,
    completion: completion_tokens,
    reasoning: reasoning_tokens,
    unpriced: unpriced_requests,
    estimated: estimated_requests,
    unaccounted: unaccounted_attempts,
    cost_usd,
  };
}

run(usage, main);
