import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toResponseFormat } from "../../../packages/core/src/schemas/index.ts";
import { checkStrictSchema } from "../../../packages/core/src/structured/strict.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

describe("the worked example in docs/structured-outputs.md", () => {
  let folder = "";
  let example = "";

  beforeAll(async () => {
    const doc = await readFile(join(root, "docs/structured-outputs.md"), "utf8");
    const [, code = ""] = /```ts\n(import[\s\S]*?)```/.exec(doc) ?? [];
    // Beside this test, so that zod and the core resolve from it as they do from the core's own folder.
    folder = await mkdtemp(join(import.meta.dirname, "doc-example-"));
    example = join(folder, "support-ticket.ts");
    await writeFile(example, code.replace('"./schema.ts"', '"../../../../packages/core/src/schemas/schema.ts"'));
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../../../tsconfig.json", include: ["*.ts"] }),
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("compiles", async () => {
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    await expect(promisify(execFile)(process.execPath, [compiler, "-p", folder])).resolves.toMatchObject({
      stdout: "",
    });
  });

  it("is a schema that OpenAI's strict mode takes", async () => {
    const { supportTicket } = await import(/* @vite-ignore */ pathToFileURL(example).href);
    expect(supportTicket).toMatchObject({ name: "support_ticket", version: 1, input: "text" });
    expect(checkStrictSchema(toResponseFormat(supportTicket).json_schema.schema)).toEqual([]);
  });

  it("stands in a list that the registry has as shown, but for the new one", async () => {
    const doc = await readFile(join(root, "docs/structured-outputs.md"), "utf8");
    const index = await readFile(join(root, "packages/core/src/schemas/index.ts"), "utf8");
    const [shown = ""] = /^const schemas: .*$/m.exec(doc) ?? [];
    expect(index).toContain(shown.replace(", supportTicket", ""));
  });
});
