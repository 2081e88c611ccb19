/** The store looks at no more than so many results for one page, so that a rare filter costs the same as none. */
export const maxScannedPerPage = 1_000;

/**
 * A page ends before it is larger than this, unless its first result alone is. In bytes of UTF-8. Lambda streams so much at full speed,
 * and what follows at 2 MB a second. Source: Lambda's developer guide, "Response streaming", November 2026.
 */
export const maxPageBytes = 6_000_000;
