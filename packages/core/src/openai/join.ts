type Fields = Record<string, unknown>;

/** What never replaces something. */
export const isNothing = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || value === 0 || (Array.isArray(value) && value.length === 0);

/** What has come of an object so far. Texts of these names come in pieces, and everything else at once. */
export function joinFields(before: object | null, more: object, inPieces: string[]): Fields {
  const whole = new Map<string, unknown>(Object.entries(before ?? {}));
  for (const name of inPieces) if (!whole.has(name)) whole.set(name, "");
  for (const [name, value] of Object.entries(more)) {
    if (isNothing(value)) continue;
    if (!inPieces.includes(name)) whole.set(name, value);
    // One that comes as an object comes whole.
    else if (typeof value === "object") whole.set(name, JSON.stringify(value));
    else whole.set(name, `${whole.get(name)}${value}`);
  }
  return Object.fromEntries(whole);
}
