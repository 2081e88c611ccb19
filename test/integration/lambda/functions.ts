import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { bundleFunctions } from "../../../packages/local/src/bundle.ts";
import { type LambdaOptions, startLambda } from "../../../packages/local/src/lambda/lambda.ts";
import { buildRuntimeClient } from "../../../packages/local/src/lambda/runtime-client.ts";
import { runtimeClient } from "../../runtime-client.ts";

export interface FixtureFunction {
  /** TypeScript that exports `handler`. */
  source: string;
  timeoutSeconds?: number;
  memoryMb?: number;
  /** `JSON`, as `infra/` has it for every function, unless said otherwise. */
  logFormat?: "JSON" | "Text";
  environment?: Record<string, string>;
}

export const REGION = "eu-central-1";
export const ACCOUNT_ID = "123456789012";

/** Writes the functions to a temporary folder, bundles them as a stage would, and runs them. */
export async function startFunctions(
  fixtures: Record<string, FixtureFunction>,
  options: Partial<Omit<LambdaOptions, "functions">> = {},
) {
  const root = await mkdtemp(path.join(os.tmpdir(), "tollgate-functions-"));
  await mkdir(path.join(root, "functions"));
  const specs: LambdaOptions["functions"] = {};
  const built = Object.fromEntries(
    await Promise.all(
      Object.entries(fixtures).map(async ([name, { source }]) => {
        await writeFile(path.join(root, "functions", `${name}.ts`), source);
        return [
          name,
          { handler: `functions/${name}.handler`, build: { minify: false, splitting: false, keepNames: true } },
        ] as const;
      }),
    ),
  );
  const bundles = await bundleFunctions({ root, outDir: path.join(root, "out"), functions: built });
  for (const [name, fixture] of Object.entries(fixtures)) {
    const bundle = bundles[name];
    if (bundle === undefined) throw new Error(`no bundle of ${name}`);
    const { timeoutSeconds = 30, memoryMb = 256, logFormat = "JSON", environment = {} } = fixture;
    specs[name] = { spec: { runtime: "nodejs24.x", timeoutSeconds, memoryMb, logFormat }, bundle, environment };
  }
  const lines: { functionName: string; requestId: string | null; line: string; source: string }[] = [];
  const lambda = await startLambda({
    runtimeClient: runtimeClient ?? (await buildRuntimeClient(path.join(root, "out"))),
    region: REGION,
    accountId: ACCOUNT_ID,
    log: (functionName, requestId, line, source) => lines.push({ functionName, requestId, line, source }),
    ...options,
    functions: specs,
  });
  return {
    ...lambda,
    lines,
    async stop() {
      await lambda.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}
