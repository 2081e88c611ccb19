import { environmentOf } from "@tollgate/local/environment";
import { type FunctionSpec, readManifest } from "@tollgate/local/manifest";
import { events } from "./events.ts";
import { credentials, region } from "./known.ts";
import type { Services } from "./services.ts";

/** A function to measure. */
export interface Subject {
  name: string;
  spec: Pick<FunctionSpec, "handler" | "build">;
  environment: Record<string, string>;
  /** As JSON, in which `{n}` stands for its number. */
  event: string;
}

type EventName = keyof ReturnType<typeof events>;

/** What people write instead, each in a file of bench/alternatives/src. */
const alternatives: Record<string, { file: string; event: EventName; minify?: boolean }> = {
  naive: { file: "naive", event: "chat" },
  "naive-minified": { file: "naive", event: "chat", minify: true },
  "naive-stream": { file: "naive-stream", event: "stream" },
  "vercel-ai": { file: "vercel-ai", event: "chat" },
  langchain: { file: "langchain", event: "chat" },
  powertools: { file: "powertools", event: "chat" },
  fetch: { file: "fetch", event: "chat" },
};

/** Ours, by their names in `infra/manifest.json`. */
const ours: Record<string, { function: string; event: EventName }> = {
  chat: { function: "Chat", event: "chat" },
  "chat-stream": { function: "OpenAI", event: "stream" },
  vision: { function: "Vision", event: "vision" },
  models: { function: "OpenAI", event: "models" },
  authorizer: { function: "Authorizer", event: "authorizer" },
  uploads: { function: "Uploads", event: "uploads" },
  results: { function: "Results", event: "results" },
  usage: { function: "Usage", event: "usage" },
  schemas: { function: "Schemas", event: "schemas" },
  health: { function: "Health", event: "health" },
  openapi: { function: "OpenApi", event: "openapi" },
};

export const alternativeNames = Object.keys(alternatives);
export const ourNames = Object.keys(ours);

/** Everything is measured against this one. */
export const baseline = "naive";

export function subjects(root: string, services: Services): Subject[] {
  const manifest = readManifest(root);
  const sent = events(root);
  const unused = "http://127.0.0.1:9";
  const openai = { OPENAI_BASE_URL: services.openai };
  return [
    ...Object.entries(alternatives).map(([name, { file, event, minify = false }]) => ({
      name,
      // As SST builds when it is told nothing.
      spec: { handler: `bench/alternatives/src/${file}.handler`, build: { minify, splitting: false, keepNames: true } },
      environment: {
        ...openai,
        OPENAI_API_KEY: "sk-bench",
        TABLE_NAME: "alternatives",
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_ENDPOINT_URL_DYNAMODB: services.dynamodb,
      },
      event: JSON.stringify(sent[event]),
    })),
    // As the local stage starts them: bundle, environment and links are those of the manifest.
    ...Object.entries(ours).map(([name, { function: functionName, event }]) => {
      const spec = manifest.functions[functionName];
      if (!spec) throw new Error(`infra/manifest.json has no function ${functionName}.`);
      const environment = environmentOf(spec, manifest, credentials, {
        region,
        endpoints: { dynamodb: services.dynamodb, s3: unused, sqs: unused },
        queueUrl: (queue) => `${unused}/000000000000/${queue}`,
        secrets: { OpenAIApiKey: "sk-bench" },
        openai,
      });
      return {
        name,
        spec,
        environment: { ...environment, AWS_LAMBDA_LOG_FORMAT: spec.logFormat },
        event: JSON.stringify(sent[event]),
      };
    }),
  ];
}
