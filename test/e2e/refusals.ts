import { readFileSync } from "node:fs";
import { afterEach, expect, inject } from "vitest";

/** What S3 asks before it tells that an object is not there. No function has it, so that all are answered AccessDenied then. */
const hidden = "s3:ListBucket";

/** Lines of the stage's log with AWS's sentence for a call that a function's role does not allow. */
const refusals = () =>
  readFileSync(inject("log"), "utf8")
    .split("\n")
    .filter((line) => line.includes("is not authorized to perform") && !line.includes(hidden));

let known = refusals().length;

// Also where a function got over it: a permission that it lacks is named by the test that needs it.
afterEach(() => {
  const news = refusals().slice(known);
  known += news.length;
  expect(news).toEqual([]);
});
