import { parseArgs } from "node:util";
import { newApiKey } from "@tollgate/core/key/key";
import { addKey, listKeys, revokeKey } from "@tollgate/core/key/store";
import { openLedger } from "./ledger.ts";

const usage = `npm run keys -- create --owner acme     makes an API key and shows it, this once
npm run keys -- list                    every key's id, owner and dates
npm run keys -- revoke <key id>         the key stops working within a minute

They work on the running local stage; for a deployed one: npx sst shell --stage <stage> -- npm run keys -- …`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { owner: { type: "string" } } });
  const [command, keyId] = positionals;
  if (command === "create" && values.owner) {
    const apiKey = newApiKey();
    const key = await addKey(openLedger(), apiKey, values.owner, new Date());
    console.error(`${key.key_id} for ${key.owner}. This is the key; it is not shown again:`);
    return console.log(apiKey);
  }
  if (command === "list") return console.table(await listKeys(openLedger()));
  if (command === "revoke" && keyId) {
    const key = await revokeKey(openLedger(), keyId, new Date());
    return console.log(`${key.key_id} of ${key.owner} is revoked since ${key.revoked_at}.`);
  }
  throw new Error(usage);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
