declare global {
  /** What Node 24 has of JSON and TypeScript's library does not know yet. */
  interface JSON {
    /** An object that `JSON.stringify` writes as this text. Takes one number, string, boolean or null. */
    rawJSON(text: string): object;
    parse(
      text: string,
      reviver: (this: unknown, name: string, value: unknown, context: { source?: string }) => unknown,
    ): unknown;
  }
}

/**
 * `JSON.parse`, but that a number which JavaScript would round stays as it was written: `JSON.stringify` writes it to the digit. To
 * compute with it, it is no number.
 */
export function parseExactly(text: string): unknown {
  if (!mayBeRounded.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_, value, { source }) =>
    typeof value === "number" && source !== undefined && isRounded(source) ? JSON.rawJSON(source) : value,
  );
}

/** A double keeps 15 digits of any number. The cheapest question first: most texts have no longer ones. */
const mayBeRounded = /\d[\d.]{15}|\d[eE]/;

/** No number that JavaScript writes is longer: -1.2345678901234567e-300 has 24 characters. */
const longestNumber = 24;

/**
 * Whether JavaScript takes this number for another: 2^53 + 1 for 2^53, 1e400 for infinity. A number that is written with thousands
 * of zeros counts too: JavaScript would write it shorter than it is sent, and what is sent decides what it may cost.
 */
export function isRounded(number: string): boolean {
  if (number.length > longestNumber) return true;
  if (number.length <= 15 && !/[eE]/.test(number)) return false;
  return decimal(number) !== decimal(String(Number(number)));
}

/** The same for every way to write a number: `10`, `1e1` and `10.0` are `1e1`. */
function decimal(number: string): string | null {
  const [, sign, whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  if (whole === "") return null;
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
