import { readBudget } from "@tollgate/core/budget/budget";
import { monthOf } from "@tollgate/core/budget/month";
import { newApiKey } from "@tollgate/core/key/key";
import { type ApiKey, addKey, listKeys, revokeKey } from "@tollgate/core/key/store";
import { formatUsd } from "@tollgate/core/usage/cost";
import { table } from "@tollgate/local/table";
import { parseCommand, run, UsageError } from "./command.ts";
import { parseKeyLimits } from "./key-limits.ts";
import { type Ledger, openLedger } from "./ledger.ts";

const usage = `npm run keys -- create --owner acme     makes an API key and shows it, this once
      --budget-usd 50                   what its calls may cost in a month (UTC), at most
      --models gpt-4o-mini,gpt-4o       the models that it may use, with their dated snapshots
      --rpm 60                          the requests that it may make in a minute
      --max-output-tokens 4096          the output tokens that one of its requests may ask for; with a budget
npm run keys -- list                    every key's id, owner, limits and dates
npm run keys -- revoke <key id>         the key stops working within a minute

They work on the running local stage (--dir FOLDER when it was started with one); for a deployed one:
npx sst shell --stage <stage> -- npm run keys -- …`;

async function main(): Promise<void> {
  const { values, positionals } = parseCommand({
    owner: { type: "string" },
    "budget-usd": { type: "string" },
    models: { type: "string" },
    rpm: { type: "string" },
    "max-output-tokens": { type: "string" },
  });
  const [command, keyId, ...more] = positionals;
  if (values.help) return console.log(usage);
  if (more.length > 0) throw new UsageError(`What is "${more.join(" ")}"?`);
  switch (command) {
    case "create": {
      if (keyId !== undefined) throw new UsageError(`What is "${keyId}"?`);
      if (!values.owner) throw new UsageError("Whose key? Give --owner.");
      const limits = parseKeyLimits(values);
      const apiKey = newApiKey();
      const key = await addKey(openLedger(values.dir), apiKey, values.owner, new Date(), limits);
      console.error(`${key.key_id} for ${key.owner}. This is the key; it is not shown again:`);
      return console.log(apiKey);
    }
    case "list": {
      const ledger = openLedger(values.dir);
      const keys = await listKeys(ledger);
      if (keys.length === 0) return console.log("There are no keys yet.");
      const month = monthOf(new Date());
      return console.log(table(await Promise.all(keys.map((key) => rowOf(ledger, key, month)))));
    }
    case "revoke": {
      if (keyId === undefined) throw new UsageError("Which key? Give its id, as `npm run keys -- list` shows it.");
      const key = await revokeKey(openLedger(values.dir), keyId, new Date());
      return console.log(`${key.key_id} of ${key.owner} is revoked since ${key.revoked_at}.`);
    }
    default:
      throw new UsageError(command === undefined ? "What shall be done?" : `There is no command "${command}".`);
  }
}

/** A key as `list` shows it. `spent_usd` and `reserved_usd` are this month's, and only kept for keys with a budget. */
async function rowOf(ledger: Ledger, key: ApiKey, month: string) {
  const limit = key.budget_nano_usd;
  const budget = limit === undefined ? null : await readBudget(ledger, key.key_id, month);
  return {
    key_id: key.key_id,
    owner: key.owner,
    budget_usd: limit === undefined ? null : formatUsd(limit),
    spent_usd: budget && formatUsd(budget.spent_nano_usd),
    reserved_usd: budget && formatUsd(budget.committed_nano_usd - budget.spent_nano_usd),
    models: key.models?.join(", "),
    rpm: key.rpm,
    max_output_tokens: key.max_output_tokens,
    created_at: key.created_at,
    revoked_at: key.revoked_at,
  };
}

run(usage, main);
