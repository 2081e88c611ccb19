import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { evaluated, fromNpm, fromPyPI, textInTarball } from "../../../packages/cli/src/check-models/download.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "check-models-"));
});
afterEach(() => rm(folder, { recursive: true }));

const { signal } = new AbortController();

describe("offline, a catalogue", () => {
  const lines: string[] = [];
  const options = () => ({ cache: folder, offline: true, signal, tell: (line: string) => lines.push(line) });

  it("is the newest version that was downloaded before", async () => {
    const kept = path.join(folder, "pydantic-genai-prices");
    await mkdir(kept);
    for (const version of ["0.1.9", "0.1.10", "0.1.8"])
      await writeFile(path.join(kept, `pydantic-genai-prices-${version}.tgz`), "");
    expect(await fromNpm("@pydantic/genai-prices", options())).toBe(
      path.join(kept, "pydantic-genai-prices-0.1.10.tgz"),
    );
    expect(lines).toContain("@pydantic/genai-prices 0.1.10: kept from before");
  });

  it("cannot be had when none was", async () => {
    await expect(fromPyPI("litellm", options())).rejects.toThrow("no version of litellm was downloaded before.");
  });
});

describe("a package of npm's", () => {
  async function packed(module: string): Promise<string> {
    await mkdir(path.join(folder, "package/dist"), { recursive: true });
    await writeFile(path.join(folder, "package/package.json"), '{"type": "module"}');
    await writeFile(path.join(folder, "package/dist/index.js"), module);
    execFileSync("tar", ["-czf", "one-1.0.0.tgz", "package"], { cwd: folder });
    return path.join(folder, "one-1.0.0.tgz");
  }

  it("gives the text of one of its files", async () => {
    const tarball = await packed("export const models = [1];");
    expect(await textInTarball(tarball, "dist/index.js", signal)).toBe("export const models = [1];");
    await expect(textInTarball(tarball, "dist/gone.js", signal)).rejects.toThrow();
  });

  it("is asked for data in a process of its own, and leaves nothing in the cache", async () => {
    const tarball = await packed("export const models = [{ id: 'one' }];");
    expect(await evaluated(tarball, "dist/index.js", "module.models", signal)).toEqual([{ id: "one" }]);
    expect((await readdir(folder)).sort()).toEqual(["one-1.0.0.tgz", "package"]);
  });

  it("sees no environment, and may neither read nor write other files, nor start a process", async () => {
    const attempts = `
      import fs from "node:fs"; import { execFileSync } from "node:child_process";
      const code = (act) => { try { act(); return "done"; } catch ({ code }) { return code; } };
      export const models = [process.env.PATH ?? "none", code(() => fs.readFileSync("/etc/hosts")),
        code(() => fs.writeFileSync(${JSON.stringify(path.join(tmpdir(), "written"))}, "")), code(() => execFileSync("true"))];`;
    const denied = "ERR_ACCESS_DENIED";
    expect(await evaluated(await packed(attempts), "dist/index.js", "module.models", signal)).toEqual([
      "none",
      denied,
      denied,
      denied,
    ]);
  });
});
