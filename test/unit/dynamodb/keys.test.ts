import { chargeUpdate, readBudget, reserveUpdate } from "@tollgate/core/budget/budget";
import type { Table } from "@tollgate/core/dynamodb/table";
import { countRequest } from "@tollgate/core/key/rate";
import { addKey, listKeys, revokeKey, verifyKey } from "@tollgate/core/key/store";
import { leaseShardKeys, leaseShardOf, ownerKey, receiptKey, resultKey } from "@tollgate/core/result/item";
import { counterUpdate, usageIndexPartition } from "@tollgate/core/usage/ledger";
import { like } from "@tollgate/local/aws/iam";
import { expect, test } from "vitest";
import manifest from "../../../infra/manifest.json" with { type: "json" };

/** Each pattern of keys that some function of the deployment may touch, by the table or index that it is of. */
const granted = Object.values(manifest.functions)
  .flatMap(({ policy }) => policy as { resources: string[]; conditions?: { variable: string; values: string[] }[] }[])
  .flatMap(({ resources, conditions = [] }) =>
    conditions
      .filter(({ variable, values }) => variable === "dynamodb:LeadingKeys" && values[0] !== "false")
      .flatMap(({ values }) =>
        resources.flatMap((resource) => values.map((value) => [resource.split("/")[3] ?? "table", value] as const)),
      ),
  );
const patternsOf = (index: string) => [...new Set(granted.filter(([of]) => of === index).map(([, value]) => value))];
const matching = (index: string, key: unknown) => patternsOf(index).filter((pattern) => like(String(key), pattern));

/** A table that notes the partition keys that it is asked for, and has nothing. */
function noting() {
  const keys = new Set<unknown>();
  const note = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
      if (name === "pk" || name === ":keys") keys.add(inner);
      note(inner);
    }
  };
  const send = async ({ input }: { input: unknown }) => {
    note(input);
    return { Item: { hash_pk: "key#1", key_id: "key_1", owner: "acme", created_at: "2026-11-28" } };
  };
  return { keys: () => [...keys], store: { dynamodb: { send }, tableName: "ledger" } as unknown as Table };
}

const entry = { day: "2026-11-28", model: "m", counts: { requests: 1 } };
const reservation = { key_id: "key_1", month: "2026-11", nano_usd: 1 };

test.each([
  ["result#*", resultKey("res_1").pk],
  ["result#*", receiptKey("res_1", "lease").pk],
  ["usage#*", counterUpdate("ledger", "acme", entry, 0).Key.pk],
  ["budget#*", reserveUpdate("ledger", reservation, 1).Key.pk],
  ["budget#*", chargeUpdate("ledger", reservation, 1).Key.pk],
])("functions are granted %s, and of all patterns only that is for the key %s", (pattern, key) => {
  expect(matching("table", key)).toEqual([pattern]);
});

test("functions are granted the rates, budgets and API keys by the keys that these are read and written by", async () => {
  const touched = async (touch: (store: Table) => Promise<unknown>) => {
    const { keys, store } = noting();
    await touch(store);
    return keys().flatMap((key) => matching("table", key));
  };
  expect(await touched((store) => countRequest(store, "key_1", 1, 0))).toEqual(["rate#*"]);
  expect(await touched((store) => readBudget(store, "key_1", "2026-11"))).toEqual(["budget#*"]);
  expect(await touched((store) => verifyKey(store, "sk-1"))).toEqual(["key#*"]);
});

test("no function is granted the list of API keys, which is all that an operator's commands touch beside the key itself", async () => {
  const { keys, store } = noting();
  await addKey(store, "sk-1", "acme", new Date());
  await listKeys({ ...store, dynamodb: { send: async () => ({ Items: [] }) } as unknown as Table["dynamodb"] });
  await revokeKey(store, "key_1", new Date());
  const others = keys().filter((key) => matching("table", key).length === 0);
  expect(others).toEqual(["keys"]);
});

test.each<[index: string, pattern: string, key: string]>([
  ["by_owner", "results#*", ownerKey({ owner: "acme", createdAt: "2026-11-28", id: "res_1" }).owner_pk],
  ["by_lease", "lease#*", leaseShardOf("res_1")],
  ...leaseShardKeys.map((key) => ["by_lease", "lease#*", key] satisfies [string, string, string]),
])("functions are granted in %s %s, which is for the key %s", (index, pattern, key) => {
  expect(matching(index, key)).toEqual([pattern]);
});

test("no function is granted the owners of all counters, which only an operator's commands list", () => {
  expect(matching("by_owner", usageIndexPartition)).toEqual([]);
});
