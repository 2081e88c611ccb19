import { unlimited } from "@tollgate/core/key/limits";
import type { Variant } from "./world.ts";

const key = { ...unlimited, keyId: "key_1", budgetNanoUsd: 1_000_000_000 };

/** Where a request may come from, and what its failure means there. */
export const variants: Variant[] = [
  { name: "over HTTP", job: {} },
  { name: "over HTTP, with a budget", job: { key } },
  { name: "from a queue that brings it back", job: { source: "s3", onFailure: "give_back" } },
  { name: "from a queue for the last time", job: { source: "s3" } },
  { name: "of one image that was written twice", job: { source: "s3", onFailure: "give_back" }, isOneContent: true },
];
