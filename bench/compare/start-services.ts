import { spawn } from "node:child_process";
import { once } from "node:events";
import { createCertificate } from "./certificate.ts";
import type { Counts, Services } from "./services.ts";

/**
 * Starts the process that stands in for OpenAI and DynamoDB. It ends when this one does.
 *
 * @returns `cert` is the services' certificate in PEM, which whoever asks them has to trust
 */
export async function startServices(file: string) {
  const certificate = await createCertificate();
  const child = spawn(process.execPath, [file, JSON.stringify(certificate)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [services] = (await once(child, "message")) as [Services];
  return {
    services,
    cert: certificate.cert,
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
