import { describe, expect, test } from "vitest";
import { committedManifest } from "../stage.ts";
import { filesFor } from "./end-to-end-tests.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";
import { survivorsOf, verdict } from "./report.ts";
import { openStaticTests } from "./static-tests.ts";
import { type Outcome, type Tests, tryEach } from "./trial.ts";

const manifest = await committedManifest();
const mutant = (name: string): Mutant => ({ kind: "permission", name, manifest, trace: "" });
const never = new AbortController().signal;

async function outcomesOf(tests: Tests, signal = never): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for await (const outcome of tryEach([mutant("Chat: a"), mutant("Chat: b")], tests, signal)) outcomes.push(outcome);
  return outcomes;
}

describe("a mutant", () => {
  test("that no test notices survives, and is reported", async () => {
    const outcomes = await outcomesOf(async ({ name }) => (name === "Chat: a" ? "test/e2e/a.test.ts › asks" : null));

    expect(survivorsOf(outcomes).map((outcome) => outcome.mutant.name)).toEqual(["Chat: b"]);
    expect(verdict(outcomes)).toMatch(/No test misses:\n {2}Chat: b$/);
  });

  test("that every test notices does not survive", async () => {
    const outcomes = await outcomesOf(async () => "test/e2e/a.test.ts › asks");

    expect(survivorsOf(outcomes)).toEqual([]);
    expect(verdict(outcomes)).toMatch(/Whatever is removed, a test fails\.$/);
  });

  test("on which the tests cannot run survives too: no test has failed", async () => {
    const outcomes = await outcomesOf(async () => {
      throw new Error("The stage did not start.");
    });

    expect(survivorsOf(outcomes)).toHaveLength(2);
    expect(verdict(outcomes)).toContain("Chat: b (The stage did not start.)");
  });

  test("is not blamed for a run that was stopped", async () => {
    const stopping = new AbortController();
    const tests = async () => {
      stopping.abort(new Error("Stopped."));
      throw new Error("The worker has gone.");
    };

    await expect(outcomesOf(tests, stopping.signal)).rejects.toThrow("Stopped.");
  });
});

test("the tests of test/infra pass on the manifest as it is, and the one that misses a thing is named", async () => {
  const { tests, close } = await openStaticTests(manifest, never);
  const { mutants } = mutantsOf(manifest);
  const visibility = mutants.find(({ name }) => name === "ImageUploadedQueue: visibility timeout") ?? mutant("none");
  const noticedBy = [await tests(visibility), await tests(mutant("nothing")), await tests(visibility)];
  await close();

  const name = expect.stringMatching(/^test\/infra\/[a-z-]+\.test\.ts › .*ImageUploadedQueue/);
  expect(noticedBy).toEqual([name, null, name]);
});

test("end-to-end tests are tried that have to do with what was removed: the quickest first, and last those with hooks that need it", () => {
  const chat = "Chat: s3:GetObject on b";
  const usage = "Usage: dynamodb:Query on t";
  const witnesses = [
    { file: "a.test.ts", seconds: 9, used: [chat, usage], usedByHooks: [usage] },
    { file: "b.test.ts", seconds: 3, used: [chat], usedByHooks: [] },
    { file: "c.test.ts", seconds: 1, used: [chat], usedByHooks: [chat] },
    { file: "d.test.ts", seconds: 1, used: ["ChatOther: s3:GetObject on b"], usedByHooks: [] },
    { file: "e.test.ts", seconds: 1, used: [], usedByHooks: [] },
  ];

  expect(filesFor({ trace: "Chat: " }, witnesses)).toEqual(["b.test.ts", "a.test.ts", "c.test.ts"]);
  expect(filesFor({ trace: usage }, witnesses)).toEqual(["a.test.ts"]);
  expect(filesFor({ trace: "" }, witnesses)).toEqual(["d.test.ts", "b.test.ts", "c.test.ts", "a.test.ts"]);
  expect(filesFor({ trace: "Chat: s3:DeleteObject on b" }, witnesses)).toEqual([]);
});
