import { createHash } from "node:crypto";
import { mock } from "node:test";
import { type Move, type Variant, World } from "./world.ts";

export interface ExploreOptions {
  /** How many things may go wrong in one schedule. */
  adversities: number;
  /** Ends at the first violation. */
  untilViolated?: boolean;
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
 * over. Depth first over the real code, which is run from the start for each branch; a state that was seen before is not
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
      const run = await replay(variant, choices, options);
      for (;;) {
        const { world, schedule, adversities } = run;
        const key = createHash("sha256").update(`${adversities} ${world.key()}`).digest("base64");
        if (seen.has(key)) break;
        seen.add(key);
        const moves = world.moves(options.adversities - adversities);
        found.longest = Math.max(found.longest, schedule.length);
        // The first branch goes on from here, the others from the start.
        for (let i = moves.length - 1; i > 0; i--) open.push([...choices, i]);
        choices = [...choices, 0];
        if (moves[0]) {
          await take(run, moves[0]);
          continue;
        }
        found.schedules += 1;
        const problems = await world.judge(adversities > 0);
        options.ended?.(world);
        if (problems.length === 0) break;
        found.violations += 1;
        if (found.examples.length < maxExamples) found.examples.push({ schedule, problems });
        if (options.untilViolated) return { ...found, states: seen.size };
        break;
      }
    }
  } finally {
    Math.random = random;
    mock.timers.reset();
  }
  found.states = seen.size;
  return found;
}

interface Run {
  world: World;
  schedule: string[];
  adversities: number;
}

async function replay(variant: Variant, choices: readonly number[], options: ExploreOptions): Promise<Run> {
  // The timers of attempts that were killed in the schedule before.
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const world = new World(variant);
  options.prepare?.(world);
  const run: Run = { world, schedule: [], adversities: 0 };
  await world.quiet();
  for (const choice of choices) {
    const move = world.moves(options.adversities - run.adversities)[choice];
    if (!move) throw new Error(`There is no move ${choice} after ${run.schedule.join(", ")}.`);
    await take(run, move);
  }
  return run;
}

async function take(run: Run, move: Move): Promise<void> {
  run.schedule.push(move.name);
  if (move.adverse) run.adversities += 1;
  await move.make();
  await run.world.quiet();
}
