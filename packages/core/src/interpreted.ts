/**
 * For zod: it compiles a schema when it first parses with it, which takes a cold start longer than a function saves by it in
 * thousands of events.
 */
export const interpreted = { jitless: true } as const;
