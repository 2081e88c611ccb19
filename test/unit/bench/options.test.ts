import { expect, test } from "vitest";
import { parseOptions } from "../../../bench/compare/options.ts";
import { alternativeNames, ourNames } from "../../../bench/compare/subjects.ts";

test("measures everything when nothing is asked for", () => {
  expect(parseOptions([])).toEqual({
    rounds: 21,
    events: 300,
    only: [...alternativeNames, ...ourNames],
  });
});

test("takes what is asked for, in the order of the table", () => {
  const args = ["--rounds", "3", "--events", "100", "--only", "chat, naive"];
  expect(parseOptions(args)).toEqual({ rounds: 3, events: 100, only: ["naive", "chat"] });
});

test("gives no options when help is asked for", () => {
  expect(parseOptions(["--help"])).toBeNull();
});

test.each([
  [["--only", "naive,chta"], "--only: there is no chta. There are naive, naive-minified,"],
  [["--rounds", "0"], "--rounds and --events are whole numbers above 0."],
  [["--events", "many"], "--rounds and --events are whole numbers above 0."],
  [["--round", "3"], "Unknown option '--round'"],
])("refuses %j and says why", (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
