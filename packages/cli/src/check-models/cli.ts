import path from "node:path";
import { parseCommand, run, UsageError } from "../command.ts";
import { catalogues } from "./catalogues.ts";
import { explanations } from "./explanations.ts";
import type { Catalogue, CatalogueName } from "./facts.ts";
import { ownCatalogue } from "./own.ts";
import { report } from "./report.ts";

const usage = `npm run check:models                     compare core's catalogue of models with others' newest ones
      -- --explained                     list the differences that are right here, too, with the reason
      -- --offline                       with those that an earlier run downloaded

It downloads openai and @pydantic/genai-prices from npm and litellm from PyPI (48 MB the first time, and then what is newer), and keeps
them in node_modules/.cache/tollgate-models. It needs python3 with pip, and tar. Each difference is a line: catalogue, model, field,
what core says and what the catalogue says; prices are in $ per 1M tokens. It ends with status 1 where a difference is not explained
in packages/cli/src/check-models/explanations.ts, or an explanation there explains nothing any more; 2 where a catalogue could not
be had; else 0.`;

const cache = path.join(import.meta.dirname, "../../../../node_modules/.cache/tollgate-models");

async function main(): Promise<void> {
  const { values, positionals } = parseCommand({ explained: { type: "boolean" }, offline: { type: "boolean" } });
  if (values.help) return console.log(usage);
  if (positionals.length > 0) throw new UsageError(`What is "${positionals.join(" ")}"?`);

  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  const today = new Date();
  const options = {
    cache,
    offline: values.offline ?? false,
    signal: stop.signal,
    tell: (line: string) => console.error(line),
  };
  const others: Catalogue[] = [];
  const missing: CatalogueName[] = [];
  for (const name of Object.keys(catalogues) as CatalogueName[]) {
    try {
      others.push(await catalogues[name](options, today));
    } catch (error) {
      if (stop.signal.aborted) break;
      console.error(`${name} could not be had: ${error instanceof Error ? error.message : error}`);
      missing.push(name);
    }
  }
  if (stop.signal.aborted) {
    console.error("Stopped.");
    process.exitCode = 2;
    return;
  }

  const { lines, status } = report({
    own: ownCatalogue(today),
    others,
    missing,
    explanations,
    today,
    withExplained: values.explained ?? false,
  });
  for (const line of lines) console.log(line);
  process.exitCode = status;
}

run(usage, main);
