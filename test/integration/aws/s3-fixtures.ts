import { type IncomingHttpHeaders, request } from "node:http";
import { GetObjectCommand, PutObjectCommand, type PutObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import { onTestFinished } from "vitest";
import type { Faults } from "../../../packages/local/src/aws/fault.ts";
import type { Principal } from "../../../packages/local/src/aws/iam.ts";
import { startS3 } from "../../../packages/local/src/aws/s3.ts";
import type { BucketSpec } from "../../../packages/local/src/manifest.ts";
import type { Meter } from "../../../packages/local/src/meter.ts";
import { account, bucketSpec, credentialsOf, developer, principalsOf, region, temporaryDir } from "./fixtures.ts";

export const bucket = "tollgate-uploads";

export interface S3TestOptions {
  dir?: string;
  principals?: Principal[];
  spec?: Partial<BucketSpec>;
  region?: string;
  faults?: Faults;
  meter?: Meter;
  onEvent?: (event: { queue: string; message: string }) => Promise<void>;
}

/** S3 with one bucket, stopped when the test is over; `events` are those it handed over. */
export async function startBucket(options: S3TestOptions = {}) {
  const events: { queue: string; message: string }[] = [];
  const s3 = await startS3({
    dir: options.dir ?? (await temporaryDir()),
    principals: principalsOf(...(options.principals ?? [])),
    buckets: [bucketSpec(bucket, options.spec), bucketSpec("tollgate-other")],
    region: options.region ?? region,
    account,
    faults: options.faults,
    meter: options.meter,
    onEvent: options.onEvent ?? (async (event) => void events.push(event)),
  });
  let stopped = false;
  const stop = async () => {
    if (!stopped) await s3.stop();
    stopped = true;
  };
  onTestFinished(stop);
  const clientOf = (principal: Principal, overrides: { endpoint?: string; forcePathStyle?: boolean } = {}) => {
    const client = new S3Client({
      endpoint: s3.endpoint,
      region: options.region ?? region,
      credentials: credentialsOf(principal),
      forcePathStyle: true,
      maxAttempts: 1,
      ...overrides,
    });
    onTestFinished(() => client.destroy());
    return client;
  };
  return { ...s3, stop, events, clientOf, client: clientOf(developer) };
}

/** The same, with what most tests do to objects. */
export async function startObjects(options: S3TestOptions = {}) {
  const s3 = await startBucket(options);
  const get = async (Key: string, more: object = {}) => {
    const output = await s3.client.send(new GetObjectCommand({ Bucket: bucket, Key, ...more }));
    return { ...output, text: await output.Body?.transformToString() };
  };
  const put = (Key: string, Body: PutObjectCommandInput["Body"] = "x", more: Partial<PutObjectCommandInput> = {}) =>
    s3.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ...more }));
  return { ...s3, get, put };
}

/** One request as it stands, for what no SDK would send. */
export function send(
  endpoint: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: Buffer = Buffer.alloc(0),
) {
  return new Promise<{ status: number; text: string; headers: IncomingHttpHeaders }>((resolve, reject) => {
    const { hostname, port } = new URL(endpoint);
    const outgoing = request({ hostname, port, method, path, headers }, async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode ?? 0, text, headers: response.headers });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
