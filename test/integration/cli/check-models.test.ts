import { spawn } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const cli = path.join(import.meta.dirname, "../../../packages/cli/src/check-models/cli.ts");

/** Stands before the real npm and python3, so that no test reaches a registry. */
let commands: string;
beforeEach(async () => {
  commands = await mkdtemp(path.join(tmpdir(), "check-models-"));
});
afterEach(() => rm(commands, { recursive: true }));

async function standIn(script: string): Promise<void> {
  for (const name of ["npm", "python3"]) {
    await writeFile(path.join(commands, name), `#!/bin/sh\n${script}\n`);
    await chmod(path.join(commands, name), 0o755);
  }
}

function start(...args: string[]) {
  const env = { ...process.env, PATH: `${commands}:${process.env.PATH}` };
  const command = spawn(process.execPath, [cli, ...args], { env });
  const output = { stdout: "", stderr: "" };
  command.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  command.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  const ended = new Promise<typeof output & { status: number | null }>((resolve) =>
    command.once("close", (status) => resolve({ ...output, status })),
  );
  const told = (text: string) =>
    new Promise<void>((resolve) => {
      command.stderr.on("data", () => output.stderr.includes(text) && resolve());
    });
  return { command, ended, told };
}

describe("npm run check:models", () => {
  it("ends with 2 when no catalogue can be had, and says which and why", async () => {
    await standIn("echo no network here >&2; exit 1");
    const { status, stdout, stderr } = await start().ended;
    expect(status).toBe(2);
    for (const name of ["openai", "litellm", "genai-prices"])
      expect(stderr).toMatch(new RegExp(`^${name} could not be had: .*\\nno network here`, "m"));
    expect(stdout).toMatch(/^0 facts compared.*openai, litellm, genai-prices could not be had\.\n$/);
  });

  it("stops at Ctrl-C while it downloads", async () => {
    await standIn("exec sleep 60");
    const { command, ended, told } = start();
    await told("asking npm");
    command.kill("SIGINT");
    const { status, stdout, stderr } = await ended;
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^openai: asking npm for the newest version…\nStopped\.\n$/);
  });

  it("tells with --help what it does, and refuses what it does not know", async () => {
    await standIn("exit 1");
    const help = await start("--help").ended;
    expect(help.status).toBe(0);
    expect(help.stdout).toMatch(/npm run check:models/);
    const refused = await start("now").ended;
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/What is "now"\?/);
    expect((await start("--all").ended).stderr).toMatch(/--all/);
  });
});
