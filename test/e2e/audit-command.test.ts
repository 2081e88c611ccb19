import { QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Audit } from "@tollgate/core/audit/audit";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { awsClients, newCaller, picture, type Result, unique, userMessage } from "./client.ts";
import { runCommand, runInSstShell } from "./command.ts";

const stage = inject("stage");
const caller = await newCaller(stage);
const { dynamodb } = awsClients(stage);
const today = () => new Date().toISOString().slice(0, 10);
const results: Result[] = [];

beforeAll(async () => {
  for (const text of [
    unique(),
    `[[fault:off_schema]] ${unique()}`,
    `[[fault:reset_after_billing times=1]] ${unique()}`,
  ]) {
    const { body } = await caller.send<Result>("POST", "/chat", { messages: userMessage(text) });
    results.push(body);
  }
  await caller.putImage("cat.png", await picture("png", 37, 59));
  await caller.finishedResults(4);
  await caller.send("DELETE", `/results/${results[0]?.id}`);
});

const audited = async (...args: string[]) => {
  const { status, stdout, stderr } = await runCommand(stage, "audit", ...args);
  return { status, stdout, stderr };
};
/** What it finds about this owner or this result: other tests leave their own marks on the stage that all share. */
const problemsOf = async (...subjects: string[]) => {
  const { stdout } = await audited("--json");
  const { problems } = JSON.parse(stdout) as Audit;
  return problems.filter(({ subject }) => subjects.some((own) => subject.includes(own)));
};

/** Changes a number in the table, and back afterwards. */
async function tampered<T>(key: object, name: string, change: number, look: () => Promise<T>): Promise<T> {
  const add = (value: number) =>
    dynamodb.send(
      new UpdateCommand({
        TableName: stage.table,
        Key: key,
        UpdateExpression: "ADD #name :value",
        ExpressionAttributeNames: { "#name": name },
        ExpressionAttributeValues: { ":value": value },
      }),
    );
  await add(change);
  try {
    return await look();
  } finally {
    await add(-change);
  }
}

describe("npm run audit", () => {
  test("finds nothing wrong with answers, failures, deleted results and images", async () => {
    expect(await problemsOf(caller.owner, ...results.map(({ id }) => id))).toEqual([]);
  });

  test("works on a deployed stage inside sst shell, where OpenAI lists no calls", async () => {
    const { stdout } = await runInSstShell(stage, "audit");
    expect(stdout).toMatch(/billed by OpenAI +│ not known here/);
  });

  test("sees a token too many on a counter", async () => {
    // A settlement takes any of the shards.
    const { Items = [] } = await dynamodb.send(
      new QueryCommand({
        TableName: stage.table,
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :counter)",
        ExpressionAttributeValues: { ":pk": `usage#${caller.owner}`, ":counter": `${today()}#gpt-6-luna#` },
      }),
    );
    const key = { pk: Items[0]?.pk, sk: Items[0]?.sk };
    const problems = await tampered(key, "prompt_tokens", 1, () => problemsOf(caller.owner));
    expect(problems).toEqual([
      {
        check: "counters",
        subject: `${caller.owner} ${today()} gpt-6-luna`,
        message: "prompt_tokens: the counters say 1 more than the results.",
      },
    ]);
  });

  test("sees a reservation that nobody holds", async () => {
    const problems = await tampered({ pk: "budget#key_audit", sk: "2026-11" }, "committed_nano_usd", 7, () =>
      problemsOf("key_audit"),
    );
    expect(problems.map(({ check, message }) => `${check}: ${message}`)).toEqual([
      "budget: 7 nano-dollars are kept back, and running results reserve 0.",
    ]);
  });

  test("ends with status 1 and names what does not agree", async () => {
    const { status, stdout } = await tampered({ pk: "budget#key_audit", sk: "2026-11" }, "spent_nano_usd", 7, () =>
      audited(),
    );
    expect(status).toBe(1);
    expect(stdout).toContain("budget  key_audit 2026-11  -7 nano-dollars are kept back");
  });

  test.each([
    [["--from", "monday"], '--from: "monday" is no day. Give one as 2026-11-01.'],
    [["acme"], 'What is "acme"?'],
  ])("with %j tells what would be right", async (args, told) => {
    const { status, stderr } = await audited(...args);
    expect(status).toBe(1);
    expect(stderr).toContain(told);
  });
});
