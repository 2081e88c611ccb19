import { afterEach, expect, test, vi } from "vitest";
import { log } from "../../../packages/functions/src/log.ts";

afterEach(() => vi.restoreAllMocks());

function logged(fields: object): { line: string; read: Record<string, unknown> } {
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  log("info", "request", fields);
  const line = String(write.mock.calls[0]?.[0]);
  return { line, read: JSON.parse(line) };
}

test("a caller's field name is cut, wherever it stands in a line of the log", () => {
  const { line, read } = logged({ param: "x".repeat(1_000_000), cause: { code: "y".repeat(1_000_000) } });
  expect(line.length).toBeLessThan(2_000);
  expect(read.param).toMatch(/^x{100,}…$/);
});

test("no control character reaches the log, raw or escaped", () => {
  const { line, read } = logged({ param: "a\u001b[31m\u0007\n\u009b\u202e\u2028b" });
  expect(read.param).toBe("a�[31m�����b");
  // The line's own end.
  expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
});

test("what a line says on purpose is kept", () => {
  expect(logged({ latency_ms: 7, owner: "Müller 🎉", result_id: "res_1" }).read).toMatchObject({
    ...{ event: "request", latency_ms: 7, owner: "Müller 🎉", result_id: "res_1" },
  });
});
