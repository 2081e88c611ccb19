import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { installPlatform } from "../../packages/local/src/synth/platform.ts";
import { synthesize } from "../../packages/local/src/synth/synthesize.ts";
import { checkTypes } from "../../packages/local/src/synth/types.ts";
import { root } from "./stage.ts";

let project: string | undefined;

beforeAll(() => installPlatform(root));

afterEach(async () => {
  if (project) await rm(project, { recursive: true });
  project = undefined;
});

/** A project of its own, whose infra/stack.ts is `lines`; answers what its synthesis says. */
async function mistakeOf(...lines: string[]): Promise<string> {
  project = await mkdtemp(path.join(os.tmpdir(), "tollgate-test-"));
  await mkdir(path.join(project, "infra"));
  await symlink(path.join(root, ".sst"), path.join(project, ".sst"));
  await writeFile(path.join(project, "infra/stack.ts"), lines.join("\n"));
  await writeFile(
    path.join(project, "sst.config.ts"),
    `export default $config({
       app: () => ({ name: "mistaken", home: "aws" }),
       run: async () => { await import("./infra/stack.ts"); },
     });`,
  );
  return synthesize({ root: project }).then(
    () => "no mistake",
    (error: Error) => error.message,
  );
}

describe("a mistake in infra/", () => {
  test("is told in SST's words, with the line that made it", async () => {
    const mistake = await mistakeOf(
      `const api = new sst.aws.ApiGatewayV1("Api");`,
      `api.route("FETCH /chat", "chat.handler");`,
    );

    expect(mistake).toBe(
      `infra/stack.ts:2:5: Invalid method FETCH in route FETCH /chat\n\n  infra/stack.ts:2 │ api.route("FETCH /chat", "chat.handler");`,
    );
  });

  test("is told with its line when an import leads nowhere", async () => {
    const mistake = await mistakeOf("", `import "./limitz.ts";`);

    expect(mistake).toContain(`Could not resolve "./limitz.ts"`);
    expect(mistake).toContain("infra/stack.ts:2:7");
  });

  test("is told when it declares a name that SST gives to every file", async () => {
    const mistake = await mistakeOf("", "export const aws = {};");

    expect(mistake).toContain(`The symbol "aws" has already been declared`);
    expect(mistake).toContain("infra/stack.ts:2:13");
  });

  test("is told with the lines that led to it when SST finds it after infra/ has run", async () => {
    const mistake = await mistakeOf(
      `const createFunction = (name: string, memory: any) =>`,
      `  new sst.aws.Function(name, { handler: "infra/stack.handler", memory });`,
      ``,
      `createFunction("Chat", "1 XB");`,
    );

    expect(mistake).toBe(
      [
        "infra/stack.ts:2:3: Invalid size 1 XB",
        "",
        `  infra/stack.ts:2 │   new sst.aws.Function(name, { handler: "infra/stack.handler", memory });`,
        `  infra/stack.ts:4 │ createFunction("Chat", "1 XB");`,
      ].join("\n"),
    );
  });

  test("is told when a function's code is not there", async () => {
    const mistake = await mistakeOf(`new sst.aws.Function("Chat", { handler: "infra/chad.handler" });`);

    expect(mistake).toContain("infra/stack.ts:1:1: Chat has no code: there is no infra/chad.ts.");
  });

  test("is told by the compiler when it is a setting that SST would leave out", async () => {
    const copy = await mkdtemp(path.join(os.tmpdir(), "tollgate-test-"));
    project = copy;
    await cp(path.join(root, "infra"), path.join(copy, "infra"), { recursive: true });
    for (const name of [".sst", "node_modules", "packages", "tsconfig.json", "sst.config.ts", "package.json"])
      await symlink(path.join(root, name), path.join(copy, name));
    const file = path.join(copy, "infra/function.ts");
    await writeFile(file, (await readFile(file, "utf8")).replace("timeout:", "timeot:"));

    await expect(checkTypes(copy)).rejects.toThrow(
      /infra\/function\.ts\(\d+,\d+\): error TS2561: .*'timeot' does not exist/,
    );
    await expect(checkTypes(root)).resolves.toBeUndefined();
  });
});

describe("what the local stage could not make", () => {
  test("is refused when it is a resource of an unknown type", async () => {
    const mistake = await mistakeOf(`new aws.kinesis.Stream("Clicks");`);

    expect(mistake).toMatch(/^Clicks is of type aws:kinesis\/stream:Stream, which the local stage cannot make/);
  });

  test("is refused when it is a setting of a known type", async () => {
    const mistake = await mistakeOf(
      `new sst.aws.Queue("Jobs", { fifo: true });`,
      `new sst.aws.ApiGatewayV1("Api").deploy();`,
    );

    expect(mistake).toMatch(/JobsQueue \(aws:sqs\/queue:Queue\) has settings that the local stage has no place for/);
    expect(mistake).toContain("fifoQueue");
  });

  test("is refused when it is a condition of a policy", async () => {
    const mistake = await mistakeOf(
      `new sst.aws.Function("Chat", {
         handler: "infra/stack.handler",
         nodejs: { minify: true },
         permissions: [{
           actions: ["s3:GetObject"],
           resources: ["*"],
           conditions: [{ test: "IpAddress", variable: "aws:SourceIp", values: ["10.0.0.0/8"] }],
         }],
       });`,
      `new sst.aws.ApiGatewayV1("Api").deploy();`,
    );

    expect(mistake).toMatch(
      /^The policy of Chat has a condition that the local stage cannot evaluate: .* aws:SourceIp/,
    );
  });

  test.each([
    [`nodejs: { minify: true, loader: { ".txt": "text" } }`, "loader"],
    [`nodejs: { minify: true }, copyFiles: [{ from: "infra" }]`, "copyFiles"],
  ])("is refused when it is a setting of the bundler, as %s", async (settings, setting) => {
    const mistake = await mistakeOf(
      `new sst.aws.Function("Chat", { handler: "infra/stack.handler", ${settings} });`,
      `new sst.aws.ApiGatewayV1("Api").deploy();`,
    );

    expect(mistake).toMatch(/^Chat \(its bundle\) has settings that the local stage has no place for/);
    expect(mistake).toContain(setting);
  });
});

test("a synthesis leaves no file behind", async () => {
  await mistakeOf(`throw new Error("stop");`);
  const bundles = async () => {
    const files = await readdir(path.join(root, ".sst/platform"));
    return files.filter((file) => file.startsWith("tollgate."));
  };

  // Other tests may be synthesizing at this moment.
  await expect.poll(bundles, { timeout: 30_000 }).toEqual([]);
});
