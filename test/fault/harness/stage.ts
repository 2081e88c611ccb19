import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import type { StageInfo } from "@tollgate/local/stage";

export type Tally = Map<string, number>;
export const count = (tally: Tally, name: string, by = 1) => tally.set(name, (tally.get(name) ?? 0) + by);

type Message = { ready: string; info: StageInfo } | { fault: string };

/**
 * The stage of a run: where it is changes with each start, and what was learned of it does not. Its functions' logs are
 * appended to `stage.log` in its folder.
 */
export function createStage(dir: string, faults: Tally) {
  const info = {} as StageInfo;
  let child: ChildProcess | null = null;

  async function start(seed: number | null): Promise<void> {
    child = fork(join(import.meta.dirname, "stage-process.ts"), [dir, ...(seed === null ? [] : [String(seed)])], {
      execPath: process.execPath,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    child.stderr?.pipe(createWriteStream(join(dir, "stage.log"), { flags: "a" }));
    const started = child;
    await new Promise<void>((resolve, reject) => {
      started.once("exit", () => reject(new Error(`The stage ended while it started: see ${dir}/stage.log.`)));
      started.on("message", (message: Message) => {
        if ("fault" in message) count(faults, message.fault);
        else {
          Object.assign(info, message.info);
          resolve();
        }
      });
    });
  }

  async function end(how: "kill" | "stop"): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    if (how === "kill") child.kill("SIGKILL");
    else if (child.connected) child.send("stop");
    await ended;
  }

  return {
    info,
    start,
    /** No more faults. */
    disarm: () => {
      if (!child?.connected) throw new Error(`The stage has ended by itself: see ${dir}/stage.log.`);
      child.send("disarm");
    },
    /** Kills it, as a loss of power would. */
    kill: () => end("kill"),
    stop: () => end("stop"),
  };
}

export type HarnessStage = ReturnType<typeof createStage>;
