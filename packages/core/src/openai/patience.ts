import type { ClientOptions } from "openai";

/** Under this symbol undici, Node's own HTTP client, shares the dispatcher that `fetch` uses. */
const sharedDispatcher = Symbol.for("undici.globalDispatcher.1");

/**
 * Options of `fetch` that let an answer take as long as its signal allows. Node's own would end one that has not begun after
 * 5 minutes, which is how long a reasoning model may think. The dispatcher is one more of the class that is there already:
 * undici from npm would be a second copy of it, larger than all of OpenAI's client.
 */
export function patientFetchOptions(): ClientOptions["fetchOptions"] {
  // undici is loaded with the first use of any of its globals.
  const loaded = globalThis.Response !== undefined && Reflect.get(globalThis, sharedDispatcher);
  if (!loaded) return {};
  return { dispatcher: Reflect.construct(loaded.constructor, [{ headersTimeout: 0, bodyTimeout: 0 }]) };
}
