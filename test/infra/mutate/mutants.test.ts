import { describe, expect, test } from "vitest";
import { committedManifest, named } from "../stage.ts";
import { mutantsOf } from "./mutants.ts";
import { rules } from "./rules.ts";

const manifest = await committedManifest();
const { mutants, unknown, used } = mutantsOf(manifest);

describe("everything that the manifest declares", () => {
  test("can be removed, or a rule says why not", () => {
    expect(unknown, "write a rule for it in test/infra/mutate/rules.ts").toEqual([]);
  });

  test("is told when no rule knows it, at whatever depth", () => {
    const later = structuredClone(manifest);
    Object.assign(named(later.functions, "Chat"), { reservedConcurrency: 5 });
    Object.assign(named(later.buckets, "Images").notifications[0] ?? {}, { topics: [{ arn: "arn" }] });
    Object.assign(later, { alarms: { DeadLetters: { threshold: 1, actions: [] } } });

    expect(mutantsOf(later).unknown.sort()).toEqual([
      "alarms.DeadLetters.threshold",
      "buckets.Images.notifications.0.topics.0.arn",
      "functions.Chat.reservedConcurrency",
    ]);
  });

  test("has every rule for a reason", () => {
    expect(Object.keys(rules).filter((pattern) => !used.has(pattern))).toEqual([]);
  });

  test("is removed under a name of its own, and so that something changes", () => {
    const names = mutants.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const mutant of mutants) expect(mutant.manifest, mutant.name).not.toEqual(manifest);
    for (const name of names) expect(name).not.toMatch(/undefined|null|\[object|: $/);
  });
});

const removed = (name: string) => {
  const mutant = mutants.find((it) => it.name === name);
  if (!mutant) throw new Error(`There is no "${name}" to remove.`);
  return mutant;
};

describe("a removal", () => {
  test("of an action leaves the others of its statement, and is traced to itself", () => {
    const { manifest: without, trace } = removed("Chat: s3:PutObject on Images/outputs/*");
    const outputs = `${named(manifest.buckets, "Images").arn}/outputs/*`;
    const statement = named(without.functions, "Chat").policy.find(({ resources }) => resources.includes(outputs));
    expect(statement?.actions).toEqual(["s3:GetObject"]);
    expect(trace).toBe(`Chat: s3:PutObject on ${outputs}`);
    const table = named(manifest.tables, "Ledger").arn;
    expect(removed("Results: dynamodb:BatchGetItem on Ledger").trace).toBe(
      `Results: dynamodb:BatchGetItem on ${table}`,
    );
  });

  test("of a kind of item leaves the others of its statement, and is traced to itself", () => {
    const { kind, manifest: without, trace } = removed("Chat: budget#* of dynamodb:UpdateItem on Ledger");
    const { policy } = named(without.functions, "Chat");
    const statement = policy.find(({ actions }) => actions.includes("dynamodb:UpdateItem"));
    expect(statement?.conditions?.[0]?.values).toEqual(["result#*", "usage#*", "rate#*"]);
    expect(kind).toBe("kind of item");
    expect(trace).toBe(`Chat: dynamodb:UpdateItem on ${named(manifest.tables, "Ledger").arn} of budget#*`);
  });

  test("of a statement's only kind is that of its action, and is not tried twice", () => {
    expect(mutants.map(({ name }) => name)).not.toContain("Chat: result#* of dynamodb:PutItem on Ledger");
  });

  test("of a condition leaves the statement without it, which then grants more", () => {
    const { manifest: without } = removed("Chat: Null of dynamodb:LeadingKeys of dynamodb:UpdateItem on Ledger");
    const { policy } = named(without.functions, "Chat");
    const statement = policy.find(({ actions }) => actions.includes("dynamodb:UpdateItem"));
    expect(statement?.conditions?.map(({ test }) => test)).toEqual(["ForAllValues:StringLike"]);
  });

  test("of a link or a variable is traced to its function", () => {
    const { manifest: without, trace } = removed("Chat: link SettleLaterQueue");
    expect(Object.keys(named(without.functions, "Chat").links)).not.toContain("SettleLaterQueue");
    expect(trace).toBe("Chat: ");
    expect(removed("Uploads: environment DEFAULT_MODEL").trace).toBe("Uploads: ");
  });

  test("of what belongs to no function, or to one that may do nothing, is traced to all tests", () => {
    expect(removed("Ledger: index by_owner").trace).toBe("");
    expect(removed("GET /health: route").trace).toBe("");
  });

  test("of a setting is the default of SST, or that of AWS where infra/ says what SST would", () => {
    const timeoutOf = (name: string) => named(removed(`${name}: timeout`).manifest.functions, name).timeoutSeconds;
    expect([timeoutOf("Chat"), timeoutOf("Usage")]).toEqual([20, 3]);
    const queue = named(removed("ImageUploadedQueue: receives").manifest.queues, "ImageUploadedQueue");
    expect(queue.deadLetter?.maxReceiveCount).toBe(3);
  });

  test("of one of a list leaves the list without it", () => {
    const { api } = removed("GET /usage: route").manifest;
    expect(api.routes.length).toBe(manifest.api.routes.length - 1);
    expect(api.routes.map(({ path }) => path)).not.toContain("/usage");
  });

  test("of a resource is tried where a statement has several", () => {
    const { policy } = named(removed("Images: policy, resource Images/*").manifest.buckets, "Images");
    expect(policy[0]?.resources).toEqual([named(manifest.buckets, "Images").arn]);
    expect(mutants.map(({ name }) => name)).not.toContain("Chat: resource Ledger");
  });
});
