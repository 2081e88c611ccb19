import { createHash } from "node:crypto";
import { mock } from "node:test";
import { type Variant, World } from "./world.ts";

export interface ExploreOptions {
  /** How many things may go wrong in one schedule. */
  adversities: number;
  /** Before a world begins to move. */
  prepare?: (world: World) => void;
  /** When all is over in a schedule. */
  ended?: (world: World) => void;
}

export interface Exploration {
  variant: string;
  schedules: number;
  states: number;
  longest: number;
  violations: number;
  /** The first few of them. */
  examples: { schedule: string[]; problems: string[] }[];
}

const maxExamples = 5;

/**
 * Every order in which two attempts at one request and their recovery can go, with up to so many things going wrong:
 * at each write to DynamoDB it fails, takes effect without an answer, is repeated, fails from then on, or the process dies
 * after it; at OpenAI the call fails unbilled or billed, or the process dies; or a process stands still until its lease is
 * over. Depth first over the real code, which is run from the start for each schedule; a state that was seen before is not
 * followed again.
 */
export async function explore(variant: Variant, options: ExploreOptions): Promise<Exploration> {
  const found: Exploration = {
    variant: variant.name,
    schedules: 0,
    states: 0,
    longest: 0,
    violations: 0,
    examples: [],
  };
  const seen = new Set<string>();
  const open: number[][] = [[]];
  const { random } = Math;
  // Waits and shards are not left to chance.
  Math.random = () => 0;
  try {
    for (let choices = open.pop(); choices; choices = open.pop()) {
      const { world, schedule, adversities } = await replay(variant, choices, options);
      const key = createHash("sha256").update(`${adversities} ${world.key()}`).digest("base64");
      if (seen.has(key)) continue;
      seen.add(key);
      const moves = world.moves(options.adversities - adversities);
      found.longest = Math.max(found.longest, schedule.length);
      if (moves.length > 0) {
        for (let i = moves.length - 1; i >= 0; i--) open.push([...choices, i]);
        continue;
      }
      found.schedules += 1;
      const problems = await world.judge(adversities > 0);
      options.ended?.(world);
      if (problems.length === 0) continue;
      found.violations += 1;
      if (found.examples.length < maxExamples) found.examples.push({ schedule, problems });
    }
  } finally {
    Math.random = random;
    mock.timers.reset();
  }
  found.states = seen.size;
  return found;
}

async function replay(variant: Variant, choices: readonly number[], options: ExploreOptions) {
  // The timers of attempts that were killed in the schedule before.
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const world = new World(variant);
  options.prepare?.(world);
  const schedule: string[] = [];
  let adversities = 0;
  await world.quiet();
  for (const choice of choices) {
    const move = world.moves(options.adversities - adversities)[choice];
    if (!move) throw new Error(`There is no move ${choice} after ${schedule.join(", ")}.`);
    schedule.push(move.name);
    if (move.adverse) adversities += 1;
    await move.make();
    await world.quiet();
  }
  return { world, schedule, adversities };
}
