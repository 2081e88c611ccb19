import { expect, test } from "vitest";
import { prefersAsync } from "../../../packages/functions/src/prefer.ts";

test.each([
  "respond-async",
  "Respond-Async",
  " respond-async ",
  "respond-async, wait=10",
  "wait=10,respond-async",
  "handling=lenient, respond-async; foo=bar",
  'respond-async=""',
  'note="a \\" b", respond-async',
])("the caller would not wait: %s", (prefer) => {
  expect(prefersAsync(prefer)).toBe(true);
});

test.each([
  undefined,
  "",
  "wait=10",
  "respond-asynchronously",
  "no-respond-async",
  "respond-async=no",
  'note="wait, respond-async"',
  'note="a \\", respond-async, b"',
  "wait=10; respond-async",
])("the caller waits: %s", (prefer) => {
  expect(prefersAsync(prefer)).toBe(false);
});
