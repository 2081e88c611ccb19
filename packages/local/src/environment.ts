import { randomBytes } from "node:crypto";
import type { FunctionSpec, Manifest } from "./manifest.ts";

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** Where the stage's services listen, and the values that no manifest holds. */
export interface Services {
  region: string;
  endpoints: { dynamodb: string; s3: string; sqs: string };
  queueUrl(queue: string): string;
  /** By the secret's name in `infra/`. */
  secrets: Record<string, string>;
  /** Variables that replace or join those of the functions that call OpenAI. */
  openai: Record<string, string>;
}

/** Credentials of one function, for this run. */
export const newCredentials = (): Credentials => ({
  accessKeyId: `ASIALOCAL${randomBytes(6).toString("hex").toUpperCase()}`,
  secretAccessKey: randomBytes(30).toString("base64"),
});

/**
 * Everything that a function sees of its surroundings. The variables are those of Lambda, of the AWS SDK and of SST's links,
 * so that the same bundle runs here and there.
 */
export function environmentOf(
  spec: FunctionSpec,
  { app, stage, queues, secrets }: Manifest,
  credentials: Credentials,
  services: Services,
): Record<string, string> {
  const links = Object.entries(spec.links).map(([name, properties]) => {
    const value = name in queues ? { ...properties, url: services.queueUrl(name) } : properties;
    const linked = secrets.includes(name) ? { value: services.secrets[name] ?? "" } : value;
    return [`SST_RESOURCE_${name}`, JSON.stringify(linked)];
  });
  const callsOpenAI = secrets.some((secret) => secret in spec.links);
  return {
    ...spec.environment,
    ...(callsOpenAI && services.openai),
    ...Object.fromEntries(links),
    SST_RESOURCE_App: JSON.stringify({ name: app, stage }),
    AWS_REGION: services.region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: services.endpoints.dynamodb,
    AWS_ENDPOINT_URL_S3: services.endpoints.s3,
    AWS_ENDPOINT_URL_SQS: services.endpoints.sqs,
  };
}
