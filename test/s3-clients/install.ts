import { spawnSync } from "node:child_process";
import { rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { clientsDir } from "./programs.ts";

// `npm run s3-clients`: installs the AWS CLI, boto3 and s3cmd from PyPI, in half a minute, for the tests that drive them.

const requirements = path.join(import.meta.dirname, "requirements.txt");

function run(program: string, args: string[]): boolean {
  return spawnSync(program, args, { stdio: ["ignore", "ignore", "inherit"] }).status === 0;
}

rmSync(clientsDir, { recursive: true, force: true });
const python = path.join(clientsDir, "bin/python");
const isInstalled =
  run("python3", ["-m", "venv", clientsDir]) &&
  run(python, ["-m", "pip", "install", "-q", "--retries", "1", "-r", requirements]);
if (isInstalled) {
  // Under a name of its own, since another Python has no boto3.
  symlinkSync("python", path.join(clientsDir, "bin/boto3-python"));
  console.log(`The AWS CLI, boto3 and s3cmd are in ${clientsDir}.`);
} else {
  // Half an installation would fail the tests instead of skipping them.
  rmSync(clientsDir, { recursive: true, force: true });
  console.error("It takes Python 3.9 or later with venv and pip (Debian: apt-get install python3-venv), and PyPI.");
  process.exitCode = 1;
}
