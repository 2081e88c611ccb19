/** By code unit, so that the manifest is the same in every locale. */
export function compare(a: string, b: string) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** An object with its keys in order, whatever order the resources were registered in. */
export function byName<T>(entries: [name: string, value: T][]): Record<string, T> {
  return Object.fromEntries(entries.sort(([a], [b]) => compare(a, b)));
}
