import { parseArgs } from "node:util";
import { table } from "@tollgate/local/table";
import { explore } from "./explore.ts";
import { variants } from "./variants.ts";

const usage = `npm run model [-- --adversities 2]

Tries every order of two attempts at one request, with so many things going wrong in each, on the real code and a table in
memory. Ends with status 1 when the books of one do not agree, and tells how it came to that.`;

const { values } = parseArgs({ options: { adversities: { type: "string", default: "2" }, help: { type: "boolean" } } });
const adversities = Number(values.adversities);
if (values.help || !Number.isInteger(adversities) || adversities < 0) {
  console.log(usage);
  process.exit(values.help ? 0 : 1);
}

let violated = false;
const rows = [];
for (const variant of variants) {
  const startedMs = performance.now();
  process.stderr.write(`… ${variant.name}\n`);
  const { examples, ...counts } = await explore(variant, { adversities });
  const seconds = Number(((performance.now() - startedMs) / 1000).toFixed(1));
  rows.push({ ...counts, seconds });
  for (const { schedule, problems } of examples) {
    violated = true;
    console.log(`${variant.name}:\n  ${schedule.join("\n  ")}\n→ ${problems.join("\n→ ")}\n`);
  }
}
console.log(`Two attempts at one request, up to ${adversities} things going wrong, and every order of what ends them:`);
console.log(table(rows));
process.exitCode = violated ? 1 : 0;
