import { perform } from "@tollgate/core/completion/run";
import { presentResult } from "@tollgate/core/result/result";
import { expect, test } from "vitest";
import { readResult } from "../../../packages/core/src/result/store.ts";
import { jobOf, startAccount } from "../budget/account.ts";
import { countersOf, problemsOf } from "../result/ledger.ts";
import { sendJson, serveAnswers, usage } from "./upstream.ts";

const { deps } = await startAccount();
const schema = { type: "object", properties: { mood: { type: "string" } }, required: ["mood"] };
const format = { type: "json_schema" as const, json_schema: { schema } };
const params = { model: "gpt-4o-mini", n: 3, messages: [{ role: "user" as const, content: "Hello" }] };

type Said = [content: string | null, finishReason: string, refusal?: string];
const good: Said = ['{"mood": "good"}', "stop"];
const bad: Said = ['{"mood": 1}', "stop"];
const cut: Said = ['{"mood"', "length"];
const filtered: Said = [null, "content_filter"];
const refused: Said = [null, "stop", "No."];
let owners = 0;

async function resultOf(said: Said[]) {
  const choices = said.map(([content, finish_reason, refusal = null], index) => ({
    index,
    message: { role: "assistant", content, refusal },
    finish_reason,
  }));
  const server = await serveAnswers({
    n: (response) => sendJson(response, { model: "gpt-4o-mini", choices, usage }),
  });
  owners += 1;
  const owner = `choices-${owners}`;
  const job = { ...jobOf("key", 0), key: null, owner, prepare: () => ({ params, format }) };
  const error = await perform({ ...deps, upstream: server.upstream("n") }, job).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  const stored = await readResult(deps.store, job.id);
  if (!stored) throw new Error("Nothing was stored.");
  return { error, result: presentResult(stored), counters: await countersOf(deps, owner) };
}

const mood = { mood: "good" };

test("every choice of a structured output is judged, and the result is as the worst of them", async () => {
  const cases: [Said[], string, unknown[]][] = [
    [[good, good], "succeeded", [mood, mood]],
    [[good, refused], "refused", [mood, null]],
    [[refused, cut, good], "truncated", [null, null, mood]],
    [[cut, filtered, good], "filtered", [null, null, mood]],
    [[filtered, good, bad], "failed", [null, mood, null]],
  ];
  for (const [said, status, outputs] of cases) {
    const { result, counters } = await resultOf(said);
    expect(result.status).toBe(status);
    expect(result.choices?.map(({ output }) => output)).toEqual(outputs);
    expect(result.output).toEqual(outputs[0]);
    expect(counters).toMatchObject({ requests: 1, total_tokens: 13, unaccounted_attempts: 0 });
  }
  expect(await problemsOf(deps)).toEqual([]);
});

test("a choice that does not fit is named in the error, and where it does not in the result", async () => {
  const { error, result } = await resultOf([good, bad]);
  expect(error).toMatchObject({ code: "invalid_output", message: expect.stringContaining("choices[1]: mood") });
  expect(result.choices).toMatchObject([
    { status: "succeeded", output: mood },
    { status: "failed", output: null, problems: [expect.stringContaining("mood")] },
  ]);
});

test("128 choices that do not fit still fit into the table", async () => {
  const { result } = await resultOf(Array.from({ length: 128 }, () => bad));
  expect(result.choices).toHaveLength(128);
});
