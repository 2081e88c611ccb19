/**
 * The script that functions run under in these tests; undefined for the local stage's own runtime client. `npm run test:ric`
 * sets it to Amazon's: the same tests hold for both.
 */
export const runtimeClient: string | undefined = process.env.RUNTIME_CLIENT || undefined;
