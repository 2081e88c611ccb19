import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { allChecks } from "../../../packages/cli/src/probe/beliefs.ts";
import type { Finding } from "../../../packages/cli/src/probe/run.ts";
import { models } from "../../../packages/core/src/model/catalogue.ts";
import { startOpenAI } from "../../../packages/local/src/openai/server.ts";

const root = resolve(import.meta.dirname, "../../..");
const apiKey = "sk-probe-secret-4711";

let openai: Awaited<ReturnType<typeof startOpenAI>>;
beforeAll(async () => {
  openai = await startOpenAI({ apiKey });
});
afterAll(() => openai.close());

const control = (method: string, path: string, body?: object) =>
  fetch(`${openai.url}/_control/${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
afterEach(async () => {
  await control("DELETE", "clock");
  await control("DELETE", "faults");
});

/** Runs the command as an operator does, against the simulated OpenAI. */
function start(args: string[], environment: Record<string, string> = {}) {
  return spawn(process.execPath, ["packages/cli/src/probe.ts", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: `${openai.url}/v1`, ...environment },
  });
}

async function probe(args: string[], environment?: Record<string, string>) {
  const command = start(args, environment);
  const [stdout, stderr, [status]] = await Promise.all([
    text(command.stdout),
    text(command.stderr),
    once(command, "close"),
  ]);
  expect(stdout + stderr).not.toContain(apiKey);
  return { status, stdout, stderr, lines: stdout.trim().split("\n") };
}

/** Of chat-latest the product and the simulated OpenAI believe different things: whether it can be kept from reasoning. */
const disputed = "chat-latest";
const undisputed = models.map(({ name }) => name).filter((name) => name !== disputed);

describe("npm run probe", () => {
  it("ends with 0 when OpenAI is as the product believes, and says what it cost", async () => {
    await control("DELETE", "billed");
    const { status, stderr, lines } = await probe(["--yes", "--model", undisputed.join(",")]);
    expect(lines.filter((line) => !line.startsWith("ok "))).toEqual([]);
    expect(status).toBe(0);
    expect(lines.length).toBeGreaterThan(200);
    const billed = (await (await control("GET", "billed")).json()) as { totals: { requests: number } };
    expect(billed.totals.requests).toBeGreaterThan(100);
    expect(stderr).toMatch(/they cost \$0\.0\d+ at most/);
    expect(stderr).toMatch(/ 0 differ, 0 unanswered, 0 skipped\. It cost \$0\.0\d+\.$/m);
  });

  it("ends with 1 when a model has ended, and the line names it, with belief beside reality", async () => {
    await control("POST", "clock", { now: "2035-01-01" });
    const { status, lines } = await probe(["--yes", "--only", "models", "--model", "gpt-4o-mini,gpt-6-luna"]);
    expect(status).toBe(1);
    expect(lines.filter((line) => line.startsWith("DIFFERS"))).toEqual([
      "DIFFERS models: gpt-4o-mini: believed served until 2027-01-14; is not served",
    ]);
  });

  it("ends with 1 when a model refuses what it took", async () => {
    const fault = { kind: "status", status: 400, code: "unsupported_parameter" };
    await control("POST", "faults", { match: { model: "gpt-6-luna" }, times: 0, fault });
    const { status, lines } = await probe(["--yes", "--only", "tools", "--model", "gpt-6-luna,gpt-4o-mini", "--json"]);
    const differing = lines.map((line) => JSON.parse(line) as Finding).filter(({ outcome }) => outcome === "differs");
    expect(status).toBe(1);
    expect(differing).toEqual([
      {
        topic: "tools",
        question: "gpt-6-luna: a function tool with effort none",
        belief: "taken",
        reality: "refused: 400 unsupported_parameter",
        outcome: "differs",
      },
    ]);
  });

  it("ends with 2 when OpenAI cannot be asked", async () => {
    await control("POST", "faults", { times: 0, fault: { kind: "status", status: 503, retry_after_ms: 1 } });
    const failing = await probe(["--yes", "--only", "parameters", "--model", "gpt-4o-mini"]);
    expect(failing.status).toBe(2);
    expect(failing.lines.every((line) => line.startsWith("? ") || line.startsWith("ok "))).toBe(true);
    const wrongKey = await probe(["--yes", "--only", "models", "--model", "gpt-4o-mini"], { OPENAI_API_KEY: "sk-no" });
    expect(wrongKey.status).toBe(2);
    const nobody = await probe(["--yes", "--only", "models", "--model", "gpt-4o"], {
      OPENAI_BASE_URL: "http://127.0.0.1:9/v1",
    });
    expect(nobody.status).toBe(2);
    expect((await probe(["--yes"], { OPENAI_API_KEY: "" })).status).toBe(2);
  });

  it("asks nothing without --yes when nobody can answer its question, having said what it would cost", async () => {
    await control("DELETE", "requests");
    const { status, stderr, stdout } = await probe([]);
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/questions to .* they cost \$0\.0\d+ at most/);
    expect(await (await control("GET", "requests")).json()).toMatchObject({ received: 0 });
  });

  it("stops at Ctrl-C with what it has found", async () => {
    await control("POST", "faults", { match: { nth: 3 }, times: 0, fault: { kind: "hang" } });
    const command = start(["--yes", "--only", "parameters", "--model", "gpt-4o-mini,gpt-6-luna"]);
    const [output, errors, closed] = [text(command.stdout), text(command.stderr), once(command, "close")];
    // The third request hangs: two findings are out by then.
    let hung = false;
    while (!hung) {
      const { in_flight, received } = (await (await control("GET", "requests")).json()) as Record<string, number>;
      hung = in_flight === 1 && (received ?? 0) >= 3;
    }
    command.kill("SIGINT");
    expect(await closed).toEqual([2, null]);
    expect(await output).toMatch(/^ok /);
    expect(await errors).toMatch(/Stopped\.\n\d of \d asked/);
  });

  it.each([[["--only", "prices"]], [["--model", "gpt-0"]], [["now"]]])(
    "refuses %j, naming what there is",
    async (args) => {
      const { status, stderr } = await probe(args);
      expect(status).toBe(1);
      expect(stderr).toMatch(/npm run probe/);
    },
  );
});

describe("the questions", () => {
  it("cost less than $0.10 together, on any day", () => {
    for (const day of ["2026-11-28", "2027-02-01"]) {
      const cost = allChecks(new Date(day)).reduce((sum, { maxCostNanoUsd }) => sum + maxCostNanoUsd, 0);
      expect(cost).toBeLessThan(95_000_000);
    }
  });

  it("are about every model of the catalogue", () => {
    const asked = allChecks(new Date("2026-11-28")).filter(({ topic }) => topic === "models");
    expect(asked.map(({ question }) => question)).toEqual(models.map(({ name }) => name));
  });
});
