import { availableParallelism } from "node:os";
import type { Environment, Invocation } from "./environment.ts";
import { LambdaServiceException, platformError } from "./error.ts";

export interface Pool {
  /** @throws LambdaServiceException `TooManyRequestsException` */
  run(invocation: Invocation): void;
  /** Ends the environment that is at work on this invocation, or every one, at work or not. */
  end(traceId: string | null, how: "kill" | "time-out"): void;
  hasEnvironments(): boolean;
  /**
   * Gives no more work to the environments that there are: an idle one ends at once, any other after the invocation that it has.
   * Resolves when all of them have ended.
   */
  renew(): Promise<void>;
  stop(): Promise<void>;
}

interface PoolOptions {
  start(onIdle: (environment: Environment) => void): Environment;
  concurrency: number;
  maxEnvironments: number;
  idleTimeoutMs: number;
}

/**
 * Environments that may start at once. More would take the processor from each other until all of them time out, where one
 * that is warm could have done the work of many.
 */
const maxStarting = availableParallelism();

/** The environments of one function. The one that worked last works next, so that the others can go. */
export function createPool({ start, concurrency, maxEnvironments, idleTimeoutMs }: PoolOptions): Pool {
  const all = new Set<Environment>();
  const idle = new Map<Environment, NodeJS.Timeout>();
  const outdated = new WeakSet<Environment>();
  const waiting: Invocation[] = [];
  let starting = 0;

  const takeIdle = (): Environment | undefined => {
    const last = [...idle.keys()].at(-1);
    if (last === undefined) return undefined;
    clearTimeout(idle.get(last));
    idle.delete(last);
    return last;
  };
  const startOne = (): Environment | undefined => {
    if (all.size >= maxEnvironments || starting >= maxStarting) return undefined;
    const environment = start(onIdle);
    all.add(environment);
    starting += 1;
    environment.initialized.then(() => {
      starting -= 1;
      work();
    });
    environment.exited.then(() => {
      all.delete(environment);
      clearTimeout(idle.get(environment));
      idle.delete(environment);
      work();
    });
    return environment;
  };
  /** Gives the invocations that wait to environments, as far as there are any. */
  const work = () => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const environment = takeIdle() ?? startOne();
      if (environment === undefined) return;
      waiting.shift();
      environment.invoke(next);
    }
  };
  const onIdle = (environment: Environment) => {
    if (outdated.has(environment)) return retire(environment);
    idle.set(environment, setTimeout(() => retire(environment), idleTimeoutMs).unref());
    work();
  };
  const retire = (environment: Environment) => {
    clearTimeout(idle.get(environment));
    idle.delete(environment);
    environment.kill();
  };

  return {
    run(invocation) {
      const atWork = all.size - idle.size + waiting.length;
      if (atWork >= concurrency) throw new LambdaServiceException("TooManyRequestsException", 429, "Rate Exceeded.");
      waiting.push(invocation);
      work();
    },
    end(traceId, how) {
      for (const environment of all) {
        if (traceId !== null && environment.traceId() !== traceId) continue;
        if (how === "time-out") environment.timeOut();
        else retire(environment);
      }
    },
    hasEnvironments: () => all.size > 0,
    async renew() {
      const old = [...all];
      for (const environment of old) {
        outdated.add(environment);
        if (idle.has(environment)) retire(environment);
      }
      await Promise.all(old.map((environment) => environment.exited));
    },
    async stop() {
      for (const { sink } of waiting.splice(0)) {
        sink.fail(platformError("Sandbox.Stopped", "The local Lambda service has stopped"));
      }
      for (const environment of all) retire(environment);
      await Promise.all([...all].map((environment) => environment.exited));
    },
  };
}
