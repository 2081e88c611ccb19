import type { Lambda } from "./lambda/lambda.ts";
import type { ScheduleSpec } from "./manifest.ts";

export interface ScheduleOptions {
  schedule: ScheduleSpec;
  lambda: Lambda;
  /** What went wrong: nobody else waits for the answer. */
  log: (line: string) => void;
}

/** Calls a function by the clock, first when one interval has passed, as EventBridge Scheduler does for a rate. */
export function startSchedule({ schedule, lambda, log }: ScheduleOptions) {
  const call = async () => {
    const result = await lambda.invoke(schedule.function, schedule.input);
    if (!result.ok) log(`the schedule's call failed: ${result.payload}`);
  };
  const timer = setInterval(() => {
    call().catch((error: unknown) => log(`the schedule's call failed: ${error}`));
  }, schedule.everySeconds * 1000);
  return { stop: () => clearInterval(timer) };
}
