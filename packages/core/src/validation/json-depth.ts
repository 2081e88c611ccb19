/**
 * Deeper JSON cannot be relied upon to be written out again: V8's `JSON.stringify` recurses, and fails somewhere in the
 * thousands. What people mean is far from it: a strict schema nests 10 levels.
 */
export const maxLevels = 100;

/** Level by level, so that its own depth is no matter. */
export function nestsDeeperThan(levels: number, value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > levels) return true;
    level = level
      .filter((item) => typeof item === "object" && item !== null)
      .flatMap((item) => Object.values(Object(item)));
  }
  return false;
}
