/** The store looks at no more than so many results for one page, so that a rare filter costs the same as none. */
export const maxScannedPerPage = 1_000;
