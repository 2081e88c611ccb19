import { createInterface } from "node:readline/promises";
import { models } from "@tollgate/core/model/catalogue";
import { formatUsd } from "@tollgate/core/usage/cost";
import { parseCommand, run, UsageError } from "./command.ts";
import { allChecks, unknownModels } from "./probe/beliefs.ts";
import { topics, Unreachable } from "./probe/check.ts";
import { createProbeClient } from "./probe/openai.ts";
import { type Finding, findings, statusOf } from "./probe/run.ts";

const usage = `npm run probe                            ask OpenAI about all that Tollgate believes of it
      -- --yes                           without asking whether it may cost what it says
      -- --only models,images            of some topics only: ${topics.join(", ")}
      -- --model gpt-6-luna,gpt-4o       of some models only
      -- --json                          as JSON, one finding a line

It asks the OpenAI at OPENAI_BASE_URL with the key OPENAI_API_KEY, and ends with status 1 where a belief is wrong, 2 where OpenAI
could not be asked, else 0.`;

/** $0.095: it never asks for more than this. */
const maxCostNanoUsd = 95_000_000;

async function main(): Promise<void> {
  const { values, positionals } = parseCommand({
    yes: { type: "boolean", short: "y" },
    only: { type: "string" },
    model: { type: "string" },
    json: { type: "boolean" },
  });
  if (values.help) return console.log(usage);
  if (positionals.length > 0) throw new UsageError(`What is "${positionals.join(" ")}"?`);
  const chosenTopics = listed(values.only, topics, "topic");
  const names = models.map(({ name }) => name);
  const checks = allChecks(new Date(), listed(values.model, names, "model")).filter(
    ({ topic }) => chosenTopics.length === 0 || chosenTopics.includes(topic),
  );
  const apiKey = process.env.OPENAI_API_KEY;
  const baseUrl = process.env.OPENAI_BASE_URL || "https://api.openai.com/v1";
  if (!apiKey) return cannotAsk("OPENAI_API_KEY has to hold a key of OpenAI's.");

  const bound = Math.min(
    maxCostNanoUsd,
    checks.reduce((sum, check) => sum + check.maxCostNanoUsd, 0),
  );
  console.error(`${checks.length} questions to ${baseUrl}; they cost $${formatUsd(bound)} at most.`);
  if (!values.yes && !(await confirmed())) return cannotAsk("Nothing was asked. --yes goes on without asking.");

  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort(new Error("stopped")));
  const openai = createProbeClient({ baseUrl, apiKey, signal: stop.signal });
  const all: Finding[] = [];
  try {
    for await (const finding of findings(checks, openai, { maxCostNanoUsd: bound, signal: stop.signal })) {
      all.push(finding);
      console.log(values.json ? JSON.stringify(finding) : lineOf(finding));
    }
    for (const id of values.model ? [] : await unknownModels(openai))
      console.error(`OpenAI serves ${id}, which the catalogue does not have.`);
  } catch (error) {
    if (!stop.signal.aborted && !(error instanceof Unreachable)) throw error;
    console.error(stop.signal.aborted ? "Stopped." : error instanceof Error ? error.message : error);
    process.exitCode = 2;
  }
  const count = (outcome: Finding["outcome"]) => all.filter((finding) => finding.outcome === outcome).length;
  console.error(
    `${all.length} of ${checks.length} asked: ${count("agrees")} agree, ${count("differs")} differ, ${count("unanswered")} unanswered, ${count("skipped")} skipped. It cost $${formatUsd(openai.costNanoUsd())}.`,
  );
  process.exitCode = statusOf(all) || process.exitCode || 0;
}

const marks = { agrees: "ok     ", differs: "DIFFERS", unanswered: "?      ", skipped: "skipped" };

function lineOf({ topic, question, belief, reality, outcome }: Finding): string {
  return `${marks[outcome]} ${topic}: ${question}: believed ${belief}${reality === null ? "" : `; is ${reality}`}`;
}

function cannotAsk(why: string): void {
  console.error(why);
  process.exitCode = 2;
}

async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question("Go on? [y/N] ");
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** A list with commas, each of which has to be known. @throws UsageError */
function listed<T extends string>(text: string | undefined, known: readonly T[], what: string): T[] {
  if (text === undefined) return [];
  return text.split(",").map((given) => {
    const found = known.find((name) => name === given.trim());
    if (found === undefined) throw new UsageError(`There is no ${what} "${given.trim()}". Known: ${known.join(", ")}`);
    return found;
  });
}

run(usage, main);
