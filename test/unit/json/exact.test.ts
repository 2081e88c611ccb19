import { isRounded, parseExactly } from "@tollgate/core/json/exact";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

describe("a number that JavaScript rounds", () => {
  test.each([
    "12345678901234567890",
    "9007199254740993",
    "-9007199254740993",
    "0.12345678901234567890123",
    "1e400",
    "-1E+400",
    "1e-400",
    "123456789012345678e3",
    "1.00000000000000000000000001",
  ])("comes out as it was written: %s", (number) => {
    expect(isRounded(number)).toBe(true);
    expect(JSON.stringify(parseExactly(`{"a": [${number}, 1]}`))).toBe(`{"a":[${number},1]}`);
  });
});

test.each([
  "0",
  "-0",
  "1.0",
  "1e3",
  "100000000000000000000",
  "0.1",
  "9007199254740992",
  "1.5E-7",
  "1e23",
  "0.10",
  "0e999",
])("a number that JavaScript keeps is a number: %s", (number) => {
  expect(isRounded(number)).toBe(false);
  expect(parseExactly(`[${number}]`)).toEqual([Number(number)]);
});

test("a number that JavaScript wrote is never rounded", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
      expect(isRounded(JSON.stringify(number))).toBe(false);
    }),
  );
});

test("any other JSON is what JSON.parse makes of it", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(parseExactly(text)).toEqual(JSON.parse(text));
    }),
  );
});

test("digits in a text are no number", () => {
  expect(parseExactly('["12345678901234567890", {"1e400": "\\"12345678901234567890"}]')).toEqual([
    "12345678901234567890",
    { "1e400": '"12345678901234567890' },
  ]);
});
