import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Counts, Services } from "./services.ts";

/** Starts the process that stands in for OpenAI and DynamoDB. It ends when this one does. */
export async function startServices(file: string) {
  const child = spawn(process.execPath, [file], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const [services] = (await once(child, "message")) as [Services];
  return {
    services,
    async counts(): Promise<Counts> {
      const answer = once(child, "message");
      child.send("counts");
      return (await answer)[0] as Counts;
    },
    stop: async () => {
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    },
  };
}
