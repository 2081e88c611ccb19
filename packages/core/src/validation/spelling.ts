/** The name that was probably meant by this one; undefined when none is close. */
export function closestTo(name: string, names: readonly string[]): string | undefined {
  const near = names
    .map((candidate) => ({ candidate, changes: changesBetween(plain(name), plain(candidate)) }))
    .filter(({ candidate, changes }) => changes <= Math.min(2, Math.floor(candidate.length * 0.4)))
    .sort((a, b) => a.changes - b.changes);
  return near[0]?.candidate;
}

/** `maxTokens`, `max-tokens` and `max_tokens` differ in nothing that matters. A name that is longer than any field is cut. */
const plain = (name: string): string =>
  name
    .slice(0, 64)
    .toLowerCase()
    .replace(/[-_\s]/g, "");

/** Levenshtein's distance: how many letters have to be added, removed or replaced. */
function changesBetween(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const row = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (previous[j] ?? 0) + (letter === b[j] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
