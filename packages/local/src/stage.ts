import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startDynamoDB } from "./aws/dynamodb.ts";
import type { Faults } from "./aws/fault.ts";
import { accessDeniedMessage, createPrincipals, type DecisionRecord } from "./aws/iam.ts";
import { startS3 } from "./aws/s3.ts";
import { startSqs } from "./aws/sqs.ts";
import { bundleFunctions } from "./bundle.ts";
import { watchFunctions } from "./dev/rebuild.ts";
import { environmentOf, newCredentials } from "./environment.ts";
import { startEventSource } from "./event-source/event-source.ts";
import { startGateway } from "./gateway/gateway.ts";
import { startLambda } from "./lambda/lambda.ts";
import { buildRuntimeClient } from "./lambda/runtime-client.ts";
import { type Manifest, queueNamed, readManifest } from "./manifest.ts";
import type { Meter } from "./meter.ts";
import { createNotifier } from "./notifications.ts";
import { startOpenAI } from "./openai/server.ts";
import { provisionApiKey } from "./provision.ts";
import { startSchedule } from "./schedule.ts";
import { lockDir, readOrCreateState } from "./state.ts";

export interface StageOptions {
  /** The repository's root. */
  root: string;
  /** Where the stage keeps its state. */
  dir: string;
  /** The API's port; 0 for any. */
  port: number;
  /** Forget what an earlier run left in `dir`. */
  fresh?: boolean;
  /** Another graph than that of `infra/manifest.json`. */
  manifest?: Manifest;
  /** Which calls of the functions to AWS's services go wrong; none when left out. */
  faults?: Faults["strike"];
  /** Hears of every decision about a call to AWS's services. */
  onDecision?: (record: DecisionRecord) => void;
  /** Counts what a bill would be made of. */
  meter?: Meter;
  /** Replace the simulated OpenAI. */
  openai?: { baseUrl?: string | undefined; apiKey?: string | undefined };
  /** Another runtime client for the functions than the stage's own, such as Amazon's: the path of its script. */
  runtimeClient?: string | undefined;
  /** Variables that replace those of the manifest, in functions that call OpenAI. */
  environment?: Record<string, string>;
  /** Gives a function new code when its sources change, and says what was rebuilt or did not build. */
  watch?: ((message: string) => void) | undefined;
  /** A line of a function's output, or what went wrong at the API or a queue. */
  log?: (source: string, line: string) => void;
  /** What the stage is doing right now. */
  progress?: (step: string) => void;
}

/** What `.local/stage.json` says: where everything is, for any AWS client. */
export interface StageInfo {
  api: string;
  api_key: string;
  s3: string;
  sqs: string;
  dynamodb: string;
  openai: string;
  region: string;
  access_key_id: string;
  secret_access_key: string;
  table: string;
  bucket: string;
  queue_url: string;
  dlq_url: string;
}

/** What an AWS client needs to speak with this stage, but for the service's endpoint. */
export const clientOptions = ({ region, access_key_id, secret_access_key }: StageInfo) => ({
  region,
  credentials: { accessKeyId: access_key_id, secretAccessKey: secret_access_key },
});

export interface Stage {
  info: StageInfo;
  stop(): Promise<void>;
}

/** OpenAI's own address, used when a key is set and no base URL. */
const openaiBaseUrl = "https://api.openai.com/v1";

/** Starts everything that `infra/manifest.json` declares, on loopback. When a part fails to start, the others are stopped again. */
export async function startStage(options: StageOptions): Promise<Stage> {
  const { root, dir, log = () => {}, progress = () => {} } = options;
  const stops: (() => unknown)[] = [];
  const stop = async () => {
    for (const stopPart of stops.splice(0).reverse()) await stopPart();
  };
  const starts: Promise<unknown>[] = [];
  const running = <T extends { stop?(): unknown; close?(): unknown }>(starting: T | Promise<T>): Promise<T> => {
    const started = Promise.resolve(starting).then((part) => {
      stops.push(() => part.stop?.() ?? part.close?.());
      return part;
    });
    starts.push(started);
    return started;
  };
  try {
    const unlock = lockDir(dir);
    stops.push(unlock);
    if (options.fresh)
      for (const name of ["dynamodb", "sqs", "s3", "openai", "state.json"])
        rmSync(join(dir, name), { recursive: true, force: true });
    const { manifest = readManifest(root) } = options;
    const { region, account } = manifest;
    const { meter } = options;
    const state = readOrCreateState(dir);
    const admin = { accessKeyId: state.accessKeyId, secretAccessKey: state.secretAccessKey };
    const principals = createPrincipals({
      onDecision(record) {
        if (record.outcome !== "allowed") log(record.principal.name, accessDeniedMessage({ ...record, account }));
        options.onDecision?.(record);
      },
    });
    let end: Faults["end"] = () => {};
    const faults: Faults | undefined = options.faults && {
      strike: options.faults,
      end: (call, how) => end(call, how),
    };
    principals.add({ ...admin, name: "admin", policy: "administrator" });

    progress("starting DynamoDB, SQS and OpenAI, bundling the functions");
    const simulated = !options.openai?.apiKey && !options.openai?.baseUrl;
    const [dynamodb, sqs, openai, bundles, runtimeClient] = await Promise.all([
      running(
        startDynamoDB({
          dir: join(dir, "dynamodb"),
          principals,
          tables: Object.values(manifest.tables),
          region,
          account,
          faults,
          meter,
        }),
      ),
      running(
        startSqs({
          dir: join(dir, "sqs"),
          principals,
          queues: manifest.queues,
          consumed: manifest.eventSourceMappings.map(({ queue }) => queue),
          region,
          account,
          faults,
          meter,
        }),
      ),
      simulated ? running(startOpenAI({ dataDir: join(dir, "openai") })) : null,
      bundleFunctions({ root, outDir: join(dir, "functions"), functions: manifest.functions }),
      options.runtimeClient ?? buildRuntimeClient(join(dir, "functions")),
    ]);
    const queueUrl = (queue: string) => sqs.queueUrl(queueNamed(manifest, queue).name);
    const bucket = only(manifest.buckets, "bucket");
    const notifier = await running(createNotifier({ bucket, manifest, principals, sqs }));
    const s3 = await running(
      startS3({
        dir: join(dir, "s3"),
        principals,
        buckets: [bucket],
        region,
        account,
        faults,
        meter,
        onEvent: notifier.notify,
      }),
    );

    progress("starting the functions and the API");
    const openaiUrl = openai ? `${openai.url}/v1` : (options.openai?.baseUrl ?? openaiBaseUrl);
    const services = {
      region,
      endpoints: { dynamodb: dynamodb.endpoint, s3: s3.endpoint, sqs: sqs.endpoint },
      queueUrl,
      // Servers such as Ollama take any key, but the client wants one.
      secrets: { OpenAIApiKey: openai ? openai.apiKey : (options.openai?.apiKey ?? "unused") },
      openai: { ...options.environment, OPENAI_BASE_URL: openaiUrl },
    };
    const credentialsOf = new Map<string, ReturnType<typeof newCredentials>>();
    const functions = Object.fromEntries(
      Object.entries(manifest.functions).map(([name, spec]) => {
        const bundle = bundles[name];
        if (!bundle) throw new Error(`The function ${name} was not bundled.`);
        const credentials = newCredentials();
        credentialsOf.set(name, credentials);
        principals.add({ ...credentials, name, policy: spec.policy });
        return [name, { spec, bundle, environment: environmentOf(spec, manifest, credentials, services) }];
      }),
    );
    const rebuiltDir = join(dir, "rebuilt");
    const removeRebuilt = () => rmSync(rebuiltDir, { recursive: true, force: true });
    removeRebuilt();
    // After the functions have ended, which read their code from there.
    stops.push(removeRebuilt);
    const lambda = await running(
      startLambda({
        functions,
        runtimeClient,
        region,
        accountId: account,
        log: (name, _requestId, line, source) => {
          if (source === "platform" && line.startsWith("REPORT ")) meter?.reported(name, line);
          if (!/^(START|END|REPORT) /.test(line)) log(name, line);
        },
      }),
    );
    if (options.watch) {
      const { functions } = manifest;
      await running(
        watchFunctions({ root, dir: rebuiltDir, functions, built: bundles, lambda, report: options.watch }),
      );
    }
    end = ({ principal, traceId }, how) => lambda.end(principal, traceId, how);
    const table = only(manifest.tables, "table");
    await provisionApiKey({
      apiKey: state.apiKey,
      tableName: table.name,
      endpoint: dynamodb.endpoint,
      region,
      credentials: admin,
    });
    for (const mapping of manifest.eventSourceMappings) {
      await running(
        startEventSource({
          mapping,
          queueUrl: queueUrl(mapping.queue),
          queueArn: queueNamed(manifest, mapping.queue).arn,
          // Lambda polls in the function's name.
          client: { endpoint: sqs.endpoint, region, credentials: credentialsOf.get(mapping.function) ?? admin },
          functionTimeoutSeconds: manifest.functions[mapping.function]?.timeoutSeconds ?? 0,
          lambda,
          log: (line) => log(mapping.queue, line),
        }),
      );
    }
    for (const schedule of Object.values(manifest.schedules)) {
      await running(startSchedule({ schedule, lambda, log: (line) => log(schedule.function, line) }));
    }
    const gateway = await running(
      startGateway({
        port: options.port,
        api: manifest.api,
        lambda,
        accountId: account,
        region,
        log: (requestId, line) => log("Api", `${requestId} ${line}`),
      }),
    );

    const [source] = manifest.eventSourceMappings;
    const deadLetter = source && queueNamed(manifest, source.queue).deadLetter;
    const info: StageInfo = {
      api: gateway.url,
      api_key: state.apiKey,
      s3: s3.endpoint,
      sqs: sqs.endpoint,
      dynamodb: dynamodb.endpoint,
      openai: openaiUrl,
      region,
      access_key_id: admin.accessKeyId,
      secret_access_key: admin.secretAccessKey,
      table: table.name,
      bucket: bucket.name,
      queue_url: source ? queueUrl(source.queue) : "",
      dlq_url: deadLetter ? queueUrl(deadLetter.queue) : "",
    };
    const file = join(dir, "stage.json");
    writeFileSync(file, `${JSON.stringify(info, null, 2)}\n`, { mode: 0o600 });
    stops.push(() => rmSync(file, { force: true }));
    return { info, stop };
  } catch (error) {
    // Others may have been starting when one failed.
    await Promise.allSettled(starts);
    await stop();
    throw error;
  }
}

function only<T>(specs: Record<string, T>, kind: string): T {
  const [spec, ...more] = Object.values(specs);
  if (!spec || more.length > 0)
    throw new Error(`infra/manifest.json has to declare one ${kind}, and declares ${more.length + (spec ? 1 : 0)}.`);
  return spec;
}
