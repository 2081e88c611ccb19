import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { StageInfo } from "@tollgate/local/stage";
import { Resource } from "sst/resource";

/** The repository's. */
export const root = resolve(import.meta.dirname, "../../..");

/**
 * The stage that a command works on: null for the deployed one inside `sst shell`, else the local stage that keeps its state
 * in `dir`, by the repository's root, as `npm start -- --dir` has it.
 */
export function localStage(dir = ".local"): StageInfo | null {
  if (process.env.SST_RESOURCE_App) return null;
  const file = resolve(root, dir, "stage.json");
  if (!existsSync(file)) {
    throw new Error(
      "No stage is running here. Start the local one with `npm start`, or name a deployed one: npx sst shell --stage <stage> -- npm run …",
    );
  }
  return JSON.parse(readFileSync(file, "utf8"));
}

/** How a client reaches a service of the local stage; nothing for the deployed one, where the SDK knows. */
export const clientOf = (stage: StageInfo | null, service: "dynamodb" | "sqs") =>
  stage
    ? {
        endpoint: stage[service],
        region: stage.region,
        credentials: { accessKeyId: stage.access_key_id, secretAccessKey: stage.secret_access_key },
      }
    : {};

/** What `sst shell` says of the deployed stage's resources. */
export const links = Resource as unknown as { Ledger: { name: string } } & Record<string, { url: string }>;
