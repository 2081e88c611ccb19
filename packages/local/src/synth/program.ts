// The process that evaluates sst.config.ts: started by evaluate.ts with root, stage and perhaps "traced" as its arguments,
// answers over IPC.
// It stands in for the sst CLI on both sides of SST's real components: it bundles the configuration as the CLI does, and
// answers the two doors that lead outside, the CLI's RPC server and Pulumi's providers.
import { globSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, realpath, writeFile } from "node:fs/promises";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { bundle } from "./bundle.ts";
import type { Answer, Build, Resource } from "./graph.ts";
import { describe, placeOf } from "./mistake.ts";
import { account, invoke, register } from "./provider.ts";
import { tracePromises } from "./trace.ts";

const [root = process.cwd(), stage = "local", traced] = process.argv.slice(2);
const traceOf = traced ? tracePromises() : null;
let failed = false;
// Resolved, since source maps and Node's resolution go by real paths.
const platform = await realpath(path.join(root, ".sst/platform"));
const work = await mkdtemp(path.join(os.tmpdir(), "tollgate-synth-"));
// Inside the platform, where Node finds Pulumi for it.
const outfile = path.join(platform, `tollgate.synth.${process.pid}.mjs`);

process.setSourceMapsEnabled(true);
process.on("uncaughtException", (error) => fail(error));
process.on("unhandledRejection", (error, promise) => fail(error, promise));

try {
  await evaluate();
} catch (error) {
  await fail(error);
}

async function evaluate() {
  const resources: Resource[] = [];
  const secrets: string[] = [];
  const builds: Record<string, Build> = {};

  // SST's modules read these while they load, so before the app that they describe is known.
  const $app = { name: "", stage, removal: "retain", protect: false, providers: {} };
  const paths = { home: work, root, work, platform };
  const $cli = { command: "deploy", rpc: "", paths, home: work, state: { version: {} } };
  Object.assign(globalThis, { $app, $cli, $dev: false });

  const { config, run, pulumi } = await bundle({ root, platform, outfile });
  const app = Object.assign($app, await config.app({ stage }));
  const region = app.providers?.aws?.region ?? "us-east-1";
  process.env.SST_SERVER = await answerRpc(builds);
  process.env = withSecrets(process.env);

  const isProtected = new Set<string>();
  await pulumi.runtime.setMocks(
    {
      newResource(registration: Resource & { custom: boolean }) {
        if (registration.type === "sst:sst:Secret") secrets.push(registration.name);
        const resource = register(registration, { prefix: `${app.name}-${stage}-`, region });
        if (registration.custom) {
          resources.push({ ...resource, protect: isProtected.has(`${registration.type} ${registration.name}`) });
        }
        return resource;
      },
      call: ({ token, inputs }: { token: string; inputs: Record<string, unknown> }) => invoke(token, inputs, region),
    },
    app.name,
    stage,
    false,
  );
  // Mocks are told a resource's inputs, and not its options.
  const monitor = pulumi.runtime.getMonitor();
  const passOn = monitor.registerResource.bind(monitor);
  monitor.registerResource = (registration, callback) => {
    if (registration.getProtect()) isProtected.add(`${registration.getType()} ${registration.getName()}`);
    return passOn(registration, callback);
  };
  await pulumi.runtime.runInPulumiStack(() => run(config.run));

  // Outputs settle on their own: the graph is whole when the process has nothing left to do.
  process.once("beforeExit", () =>
    answer({
      graph: {
        app: app.name,
        stage,
        region,
        account,
        protect: app.protect,
        removal: app.removal,
        secrets: secrets.sort(),
        resources,
        builds,
      },
    }),
  );
}

/** The CLI's side of SST's RPC: bundling is noted and answered with an empty bundle. Returns its address. */
async function answerRpc(builds: Record<string, Build>) {
  const methods: Record<string, (params: Build & { functionID: string }) => Promise<object>> = {
    "Provider.Aws.Bootstrap": async () => ({ asset: "sst-asset", state: "sst-state" }),
    "Runtime.Build": async ({ functionID, ...request }) => {
      builds[functionID] = request;
      const out = path.join(work, functionID);
      await mkdir(out, { recursive: true });
      await writeFile(path.join(out, "bundle.mjs"), "");
      const file = request.handler.replace(/\.\w+$/, "");
      const isThere = globSync(`${file}.{ts,tsx,mts,cts,js,jsx,mjs,cjs}`, { cwd: root }).length > 0;
      const errors = isThere ? [] : [`${functionID} has no code: there is no ${file}.ts.`];
      return { handler: request.handler, out, errors, sourcemaps: [] };
    },
  };
  const server = http.createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method, params } = JSON.parse(body);
    const result = await methods[method]?.(params[0]);
    // An idle connection would keep the process from coming to its end.
    response.setHeader("connection", "close");
    response.end(JSON.stringify(result ? { result } : { error: `SST asks its CLI for ${method}, unknown here.` }));
  });
  server.unref();
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`;
}

/** Every `sst.Secret` has a value, so that a missing one stops a deployment and not a look at it. */
function withSecrets(environment: NodeJS.ProcessEnv) {
  return new Proxy(environment, {
    get: (target, name) => (String(name).startsWith("SST_SECRET_") ? "secret" : Reflect.get(target, name)),
  });
}

/** `promise`: that of an error which came when infra/ had already run. */
async function fail(error: unknown, promise?: Promise<unknown>) {
  // What follows from a mistake is not told.
  if (failed) return;
  failed = true;
  const place = placeOf(error, root, (promise && traceOf?.(promise)) ?? "");
  answer({ mistake: await describe(error, root, place), placed: place.length > 0 || traceOf !== null });
}

function answer(message: Answer) {
  // Pulumi's own listener would lament every promise that a mistake leaves open.
  process.removeAllListeners("exit");
  // At once: with a mistake in it, the process may come to its end by itself.
  rmSync(work, { recursive: true, force: true });
  rmSync(outfile, { force: true });
  process.send?.(message, undefined, undefined, () => process.exit(0));
}
