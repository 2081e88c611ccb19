import { inTurn } from "@tollgate/core/in-turn";
import { expect, test } from "vitest";

test("does one thing at a time, in order, and goes on after one that failed", async () => {
  const oneAtATime = inTurn();
  const happened: string[] = [];
  const work = (name: string) => async () => {
    happened.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    happened.push(`${name} ends`);
    if (name === "b") throw new Error("b failed");
    return name;
  };
  const outcomes = await Promise.allSettled(["a", "b", "c"].map((name) => oneAtATime(work(name))));
  expect(happened).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  expect(outcomes).toMatchObject([{ value: "a" }, { reason: { message: "b failed" } }, { value: "c" }]);
});
