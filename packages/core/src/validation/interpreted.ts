/** For zod: it compiles a schema when it first parses with it, which a cold start feels and no warm event does (docs/performance.md). */
export const interpreted = { jitless: true } as const;
