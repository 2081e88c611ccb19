import { expect, test } from "vitest";
import { parseOptions } from "../../../bench/compare/options.ts";
import { alternativeNames, ourNames } from "../../../bench/compare/subjects.ts";

test("measures everything, without a runtime, when nothing is asked for", () => {
  expect(parseOptions([])).toEqual({
    rounds: 21,
    events: 300,
    only: [...alternativeNames, ...ourNames],
    runtime: null,
  });
});

test("takes what is asked for, in the order of the table", () => {
  const args = ["--rounds", "3", "--events", "100", "--only", "chat, naive", "--runtime", "ric"];
  expect(parseOptions(args)).toEqual({ rounds: 3, events: 100, only: ["naive", "chat"], runtime: "ric" });
});

test("gives no options when help is asked for", () => {
  expect(parseOptions(["--help"])).toBeNull();
});

test.each([
  [["--only", "naive,chta"], "--only: there is no chta. There are naive, naive-minified,"],
  [["--runtime", "rci"], "--runtime: there is no rci. There are ric and local."],
  [["--rounds", "0"], "--rounds and --events are whole numbers above 0."],
  [["--events", "many"], "--rounds and --events are whole numbers above 0."],
  [["--round", "3"], "Unknown option '--round'"],
])("refuses %j and says why", (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
