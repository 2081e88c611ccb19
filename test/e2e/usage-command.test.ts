import { beforeAll, describe, expect, inject, test } from "vitest";
import { newCaller, picture, type Result, type Usage, unique, userMessage } from "./client.ts";
import { runCommand, runInSstShell } from "./command.ts";

const stage = inject("stage");
const [caller, withoutKey] = [await newCaller(stage), await newCaller(stage)];
const today = () => new Date().toISOString().slice(0, 10);
type Row = Usage["total"] & { day: string; owner: string; model: string };

beforeAll(async () => {
  for (const model of ["gpt-4o-mini", "gpt-4o-mini", "gpt-6-luna"])
    await caller.send("POST", "/chat", { model, messages: userMessage(unique()) });
  await withoutKey.putImage("cat.png", await picture("png", 37, 59));
  await withoutKey.finishedResults(1);
});

const json = async (...args: string[]) =>
  JSON.parse((await runCommand(stage, "usage", "--json", ...args)).stdout) as Omit<Usage, "data"> & { data: Row[] };

describe("npm run usage", () => {
  test("prints a table per day, owner and model, with a total", async () => {
    const { status, stdout } = await runCommand(stage, "usage", "--owner", caller.owner);
    expect(status).toBe(0);
    const rows = stdout.split("\n").map((line) => line.split("│").map((cell) => cell.trim()));
    const [head, ...cells] = rows.filter(({ length }) => length > 1);
    expect(head?.slice(1, 4)).toEqual(["day", "owner", "model"]);
    expect(cells.map(([, day, owner, model, requests]) => [day, owner, model, requests])).toEqual([
      [today(), caller.owner, "gpt-4o-mini-2024-07-18", "2"],
      [today(), caller.owner, "gpt-6-luna", "1"],
      ["", "", "", ""],
      ["total", "", "", "3"],
    ]);
    expect(stdout).not.toContain("'");
  });

  test("agrees with GET /usage, which an owner sees", async () => {
    const report = await json("--owner", caller.owner);
    const { body } = await caller.send<Usage>("GET", "/usage");
    expect(report.total).toEqual(body.total);
    expect(report.total.reasoning_tokens).toBeGreaterThan(0);
  });

  test("knows every owner, those too who only put objects into S3", async () => {
    const { data, total, group_by } = await json();
    expect(group_by).toEqual(["day", "owner", "model"]);
    const owners = new Set(data.map(({ owner }) => owner));
    expect(owners).toContain(caller.owner);
    expect(owners).toContain(withoutKey.owner);
    expect(total.requests).toBe(data.reduce((sum, { requests }) => sum + requests, 0));
  });

  test("is CSV with one line a row", async () => {
    const { stdout } = await runInSstShell(stage, "usage", "--csv", "--owner", caller.owner);
    const [head, ...rows] = stdout.split("\n");
    expect(head).toMatch(
      /^day,owner,model,requests,failed,.*cached_tokens,reasoning_tokens,unpriced_requests,.*cost_usd$/,
    );
    expect(rows).toHaveLength(2);
  });

  test("as CSV has no cell that a spreadsheet would calculate", async () => {
    const other = await newCaller(stage);
    const request = { model: "=1+1", messages: userMessage(unique()) };
    const { body } = await other.send<Result>("POST", "/chat", request, { prefer: "respond-async" });
    await other.finished(body.id);
    const { stdout } = await runCommand(stage, "usage", "--csv", "--owner", other.owner);
    expect(stdout).toContain(`,${other.owner},'=1+1,1,1,0,`);
  });

  test("keeps to the days asked for", async () => {
    expect((await json("--owner", caller.owner, "--from", today(), "--to", today())).total.requests).toBe(3);
    const { stdout } = await runCommand(stage, "usage", "--from", "2020-01-01", "--to", "2020-12-31");
    expect(stdout).toBe("Nothing was used from 2020-01-01 to 2020-12-31.");
  });

  test.each([
    [["--from", "yesterday"], "from: Give a day in UTC, as 2026-11-22."],
    [["--csv", "--json"], "Give --csv or --json, not both."],
    [["acme"], 'What is "acme"?'],
  ])("with %j ends with status 1 and tells what would be right", async (args, told) => {
    const { status, stdout, stderr } = await runCommand(stage, "usage", ...args);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(told);
  });
});
