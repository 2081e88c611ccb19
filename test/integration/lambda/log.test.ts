import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FixtureFunction, startFunctions } from "./functions.ts";

const CONSOLE = "declare const console: any; declare const process: any;";
const PRINTS = `${CONSOLE} export const handler = async ({ word }: any) => { console.log(word); console.error(word + "!"); };`;

const fixtures: Record<string, FixtureFunction> = {
  levels: {
    source: `${CONSOLE} export const handler = async () => {
      for (const level of ["trace", "debug", "info", "log", "warn", "error", "fatal"]) console[level](level);
    };`,
  },
  values: {
    source: `${CONSOLE} export const handler = async () => {
      class TeapotError extends Error { kind = "pot"; }
      console.log({ deep: [1, { x: null }] });
      console.log("%s of %d", "two", 2, { x: 1 });
      console.log(new TeapotError("short"));
      console.log("failed:", new TeapotError("stout"));
      console.log(10n);
      console.log("two\\nlines");
    };`,
  },
  direct: {
    source: `${CONSOLE} export const handler = async () => {
      process.stdout.write('{"level":"info","event":"request"}\\n');
      process.stderr.write("as it is\\n");
    };`,
  },
  fails: { source: `export const handler = async () => { throw new RangeError("too far"); };` },
  failsInit: { source: `throw new TypeError("no configuration"); export const handler = async () => {};` },
};

let lambda: Awaited<ReturnType<typeof startFunctions>>;
beforeAll(async () => {
  const text = Object.entries(fixtures).map(([name, fixture]) => [`${name}Text`, { ...fixture, logFormat: "Text" }]);
  lambda = await startFunctions({ prints: { source: PRINTS }, ...fixtures, ...Object.fromEntries(text) });
});
afterAll(() => lambda.stop());

/** What the function printed in one invocation. */
async function printed(name: string): Promise<string[]> {
  await lambda.invoke(name, {});
  const lines = lambda.lines.filter(({ functionName, source }) => functionName === name && source === "function");
  return lines.map(({ line }) => line);
}

it("has every line under its own invocation, between START and END", async () => {
  for (const word of ["first", "second", "third"]) await lambda.invoke("prints", { word });
  const lines = lambda.lines.filter(({ functionName }) => functionName === "prints");
  for (const word of ["first", "second", "third"]) {
    const { requestId } = lines.find(({ line }) => line.includes(`"${word}"`)) ?? {};
    const own = lines.filter((line) => line.requestId === requestId).map(({ line }) => line);
    expect(own[0]).toBe(`START RequestId: ${requestId} Version: $LATEST`);
    expect(own.slice(1, 3).map((line) => JSON.parse(line))).toEqual([
      { timestamp: expect.any(String), level: "INFO", requestId, message: word },
      { timestamp: expect.any(String), level: "ERROR", requestId, message: `${word}!` },
    ]);
    expect(own[3]).toBe(`END RequestId: ${requestId}`);
    expect(own[4]).toMatch(/\tDuration: [\d.]+ ms\t/);
    expect(own[4]?.includes("Init Duration")).toBe(word === "first");
  }
});

describe("in JSON, as infra/ has it", () => {
  it("has nothing below the level INFO", async () => {
    const levels = (await printed("levels"))
      .map((line) => JSON.parse(line))
      .map(({ level, message }) => [level, message]);
    expect(levels).toEqual([
      ["INFO", "info"],
      ["INFO", "log"],
      ["WARN", "warn"],
      ["ERROR", "error"],
      ["FATAL", "fatal"],
    ]);
  });

  it("has one value as it is, several as a text, and errors in full", async () => {
    const lines = (await printed("values")).map((line) => JSON.parse(line));
    const stackTrace = expect.arrayContaining([expect.stringContaining("functions/values.ts:")]);
    const head = { timestamp: expect.stringMatching(/^\d{4}-.*Z$/), level: "INFO", requestId: lines[0].requestId };
    expect(lines).toEqual([
      { ...head, message: { deep: [1, { x: null }] } },
      { ...head, message: "two of 2 { x: 1 }" },
      {
        ...head,
        message: { errorType: "TeapotError", errorMessage: "short", stackTrace, kind: "pot" },
      },
      {
        ...head,
        message: expect.stringContaining("failed: "),
        errorType: "TeapotError",
        errorMessage: "stout",
        stackTrace,
      },
      { ...head, message: "10n" },
      { ...head, message: "two\nlines" },
    ]);
  });

  it("leaves alone what goes straight to stdout or stderr", async () => {
    expect((await printed("direct")).toSorted()).toEqual(["as it is", '{"level":"info","event":"request"}']);
  });

  it("has the error that an invocation failed with", async () => {
    const [line = ""] = await printed("fails");
    expect(JSON.parse(line)).toMatchObject({
      level: "ERROR",
      message: { errorType: "RangeError", errorMessage: "too far", stackTrace: expect.any(Array) },
    });
  });

  it("has the error that init failed with, of no request", async () => {
    const [line = ""] = await printed("failsInit");
    expect(JSON.parse(line)).toMatchObject({
      level: "ERROR",
      requestId: "-",
      message: { errorType: "TypeError", errorMessage: "no configuration" },
    });
  });
});

describe("as text, as Lambda has it unless told otherwise", () => {
  it("has time, request and level before the message, and every level", async () => {
    const lines = (await printed("levelsText")).map((line) => line.split("\t"));
    expect(lines.map(([, , ...rest]) => rest)).toEqual([
      ["TRACE", "trace"],
      ["DEBUG", "debug"],
      ["INFO", "info"],
      ["INFO", "log"],
      ["WARN", "warn"],
      ["ERROR", "error"],
      ["FATAL", "fatal"],
    ]);
    for (const [time = "", requestId] of lines) {
      expect(new Date(time).toISOString()).toBe(time);
      expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it("leaves alone what goes straight to stdout or stderr", async () => {
    expect((await printed("directText")).toSorted()).toEqual(["as it is", '{"level":"info","event":"request"}']);
  });

  it.each([
    ["failsText", "Invoke Error ", { errorType: "RangeError", errorMessage: "too far" }],
    ["failsInitText", "Init Error ", { errorType: "TypeError", errorMessage: "no configuration" }],
  ])("has the error that %s fails with as JSON", async (name, title, error) => {
    const [, , level, message, json = ""] = (await printed(name))[0]?.split("\t") ?? [];
    expect([level, message]).toEqual(["ERROR", title]);
    expect(JSON.parse(json)).toEqual({ ...error, stack: expect.any(Array) });
  });
});
