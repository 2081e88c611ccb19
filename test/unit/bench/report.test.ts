import { expect, test } from "vitest";
import type { Measured } from "../../../bench/compare/measured.ts";
import { report } from "../../../bench/compare/report.ts";
import { row } from "../../../bench/compare/row.ts";

const measured = (changed: Partial<Measured> = {}): Measured => ({
  initMs: 100,
  firstMs: 50,
  coldCpuMs: 120,
  warmMs: [1, 2, 3],
  warmCpuMs: 12,
  peakBytes: 100e6,
  firstByteMs: [],
  ...changed,
});

const rowOf = (name: string, runs: Measured[]) =>
  row({ name, bundleBytes: 2_743_000, callsAnEvent: { openai: 1, dynamodb: 2 }, runs });

const cells = (line: string | undefined) => line?.split("│").map((cell) => cell.trim());
const lineOf = (name: string, text: string) => text.split("\n").find((line) => cells(line)?.includes(name));

test("a row has the medians over the rounds", () => {
  const runs = [measured({ initMs: 90 }), measured({ initMs: 400, warmMs: [9, 9, 9] }), measured({ initMs: 110 })];
  expect(rowOf("chat", runs)).toMatchObject({ initMs: 110, firstMs: 50, coldMs: 160, warmP50Ms: 2, warmCpuMs: 4 });
});

test("the table holds each function against naive", () => {
  const text = report([rowOf("naive", [measured()]), rowOf("chat", [measured({ firstMs: 200 })])], "import");
  expect(cells(lineOf("chat", text))).toEqual(
    ["", "chat", "2743", "100", "200", "300 (×2.00)", "120 (×1.00)", "2.00 (×1.00)", "3.00"].concat([
      "4.00 (×1.00)",
      "100",
      "1 + 2",
      "",
    ]),
  );
});

test("without naive there is no ratio", () => {
  expect(report([rowOf("chat", [measured()])], "import")).not.toContain("×");
});

test("streams are in a table of their own, with what they add to OpenAI's first byte", () => {
  const rows = [rowOf("naive", [measured()]), rowOf("chat-stream", [measured({ firstByteMs: [0.5, 0.6, 2] })])];
  const [, streams = ""] = report(rows, "import").split("\n\n");
  expect(cells(lineOf("chat-stream", streams))).toEqual(["", "chat-stream", "0.60", "2.00", ""]);
  expect(lineOf("naive", streams)).toBeUndefined();
});

test("the table fits into a terminal of 160 columns", () => {
  const slow = measured({ initMs: 1_000, firstMs: 1_000, coldCpuMs: 1_000, warmMs: [100], warmCpuMs: 100 });
  const text = report([rowOf("naive-minified", [slow]), rowOf("naive", [measured()])], "import");
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(160);
});
