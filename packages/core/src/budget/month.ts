/** The calendar month in UTC: `2026-11`. */
export const monthOf = (when: Date): string => when.toISOString().slice(0, 7);

/** The first moment after a month, in UTC: `2026-12-01T00:00:00Z` for `2026-11`. */
export function endOfMonth(month: string): string {
  const [year, number] = month.split("-").map(Number);
  return new Date(Date.UTC(year ?? Number.NaN, number ?? Number.NaN, 1)).toISOString().replace(".000Z", "Z");
}
