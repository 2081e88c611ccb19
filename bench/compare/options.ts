import { parseArgs } from "node:util";
import { alternativeNames, ourNames } from "./subjects.ts";

const names = [...alternativeNames, ...ourNames];

/** Whose runtime client stands around the functions: Amazon's own, or the local stage's. */
const runtimes = ["ric", "local"] as const;
export type Runtime = (typeof runtimes)[number];

export interface Options {
  rounds: number;
  events: number;
  /** In the order of the table. */
  only: readonly string[];
  /** Null for none. */
  runtime: Runtime | null;
}

export const usage = `npm run bench [-- --rounds 21] [--events 300] [--only naive,chat] [--runtime ric|local]

In each round, every function is started once in a fresh process: its bundle is imported, a first event is handled, and then
--events more, one after another. The tables have the medians over all rounds, and in brackets the ratio to naive.

  --rounds    how many, 21 when left out
  --events    warm events in each process, 300 when left out
  --only      some of ${alternativeNames.join(",")},
              ${ourNames.join(",")}
  --runtime   ric: under aws-lambda-ric, Amazon's own runtime client, compiled once; local: under the local stage's.
              Times are then taken from outside: init begins with the start of Node.js. Left out: under none

cold    import (or init) and first event together, the function's own time
calls   requests to OpenAI + to DynamoDB, for each event
CPU     of the function's process`;

/** @throws Error that says what is wrong, and what there is; null when help is asked for */
export function parseOptions(args: string[]): Options | null {
  const values = valuesOf(args);
  if (values.help) return null;
  const [rounds = 0, events = 0] = [values.rounds, values.events].map(Number);
  if (![rounds, events].every((value) => Number.isInteger(value) && value > 0))
    throw new Error("--rounds and --events are whole numbers above 0.");
  const asked = values.only.split(",").map((name) => name.trim());
  const unknown = asked.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`--only: there is no ${unknown.join(", ")}. There are ${names.join(", ")}.`);
  const runtime = runtimes.find((name) => name === values.runtime) ?? null;
  if (values.runtime !== undefined && runtime === null)
    throw new Error(`--runtime: there is no ${values.runtime}. There are ${runtimes.join(" and ")}.`);
  return { rounds, events, only: names.filter((name) => asked.includes(name)), runtime };
}

function valuesOf(args: string[]) {
  const options = {
    rounds: { type: "string", default: "21" },
    events: { type: "string", default: "300" },
    only: { type: "string", default: names.join() },
    runtime: { type: "string" },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${usage}`);
  }
}
