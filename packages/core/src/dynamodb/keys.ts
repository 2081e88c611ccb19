/**
 * How the partition key of each kind of item begins. `infra/items.ts` lets a function touch only the kinds that it needs, by these
 * very texts: an item of a new kind gets a line here.
 */
export const partitions = {
  /** `result#<id>`: a result, and the receipt of a deleted one. */
  result: "result#",
  /** `usage#<owner>`: the counters. */
  usage: "usage#",
  /** `budget#<key id>`: what a key has spent and reserved. */
  budget: "budget#",
  /** `content#<hash>`: which result an object's content led to. */
  content: "content#",
  /** `rate#<key id>`: how many requests a key has made this minute. */
  rate: "rate#",
  /** `key#<hash>`: an API key, found by its hash. */
  key: "key#",
  /** `revoked#<key id>`: that a key was revoked, for functions that may not read keys. */
  revoked: "revoked#",
  /** `keys`: the list of all API keys. */
  keys: "keys",
} as const;

/** The same of the indexes' partition keys. */
export const indexPartitions = {
  /** `results#<owner>` in `by_owner`: an owner's results. */
  ownerResults: "results#",
  /** `usage` in `by_owner`: every counter. */
  ownerUsage: "usage",
  /** `lease#<shard>` in `by_lease`: the results that an attempt holds. */
  lease: "lease#",
} as const;

/** Lists an owner's results by time, and all counters by day. Of a result, `kind` and `status` are projected, to filter by. */
export const ownerIndex = "by_owner";

/** Lists the results that an attempt holds by when its lease ends, and those that it has given back. Keys only. */
export const leaseIndex = "by_lease";
