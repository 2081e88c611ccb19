/** For zod: it compiles a schema when it first parses with it, which a cold start feels and no warm event does (docs/performance.md). */
export const jitless = { jitless: true } as const;
