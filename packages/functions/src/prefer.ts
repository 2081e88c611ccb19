/**
 * Whether the caller would rather have a 202 than wait: `respond-async` is among the preferences of its `Prefer` header
 * (RFC 7240). They stand between commas, may have a value and parameters, and those that are not known count for nothing.
 */
export function prefersAsync(prefer: string | undefined): boolean {
  const unquoted = (prefer ?? "").replace(/"(?:[^"\\]|\\.)*"/g, (quoted) => (quoted === '""' ? '""' : '"…"'));
  return unquoted.split(",").some((preference) => /^\s*respond-async\s*(=\s*(""\s*)?)?(;|$)/i.test(preference));
}
