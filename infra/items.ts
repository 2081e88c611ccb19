import { indexPartitions, partitions } from "../packages/core/src/dynamodb/keys.ts";
import { resources } from "./storage.ts";

type Kind = keyof typeof partitions;
type Entry = keyof typeof indexPartitions;

/** A text that ends in `#` is the beginning of a key, any other a whole key. */
const patternOf = (partition: string) => (partition.endsWith("#") ? `${partition}*` : partition);

/**
 * Lets a function do one thing to items of these kinds. `ForAllValues` also holds for a request that names no key, a `Scan` or a
 * statement in PartiQL for one: `Null` keeps those out. In a transaction IAM asks about each item by itself, as `PutItem`,
 * `UpdateItem` or `DeleteItem`; of a batch it asks about all keys at once. For a query on an index the leading key is the index's own.
 * Sources: DynamoDB's developer guide, "Using IAM policy conditions for fine-grained access control" (its fifth example has an index)
 * and "Using IAM with DynamoDB transactions"; IAM's user guide, "Multivalued context keys"; M. Martz, "Lock Down DynamoDB with IAM
 * Policy Conditions", who tried it on an index. November 2026.
 */
function permission(action: string, resource: $util.Input<string>, keys: readonly string[]) {
  const variable = "dynamodb:LeadingKeys";
  return {
    actions: [`dynamodb:${action}`],
    resources: [resource],
    conditions: [
      { test: "ForAllValues:StringLike", variable, values: keys.map(patternOf) },
      { test: "Null", variable, values: ["false"] },
    ],
  };
}

const onTable =
  (action: string) =>
  (...kinds: Kind[]) =>
    permission(
      action,
      resources.ledger,
      kinds.map((kind) => partitions[kind]),
    );

const onIndex =
  (index: $util.Input<string>) =>
  (...entries: Entry[]) =>
    permission(
      "Query",
      index,
      entries.map((entry) => indexPartitions[entry]),
    );

/** What a function may do to which kinds of items, for its `permissions`: `items.update("result", "usage")`. */
export const items = {
  get: onTable("GetItem"),
  batchGet: onTable("BatchGetItem"),
  put: onTable("PutItem"),
  update: onTable("UpdateItem"),
  delete: onTable("DeleteItem"),
  query: onTable("Query"),
  queryByOwner: onIndex(resources.ledgerByOwner),
  queryByLease: onIndex(resources.ledgerByLease),
};
