/**
 * As much of Node's `Headers` as OpenAI's client asks for, when it asks over `createFetch`. Neither checks names and values:
 * the client and Node's HTTP client do.
 */
export class Headers {
  readonly #values = new Map<string, string>();

  constructor(init: Iterable<readonly [string, string]> | Record<string, string> = []) {
    const pairs = Symbol.iterator in init ? init : Object.entries(init);
    for (const [name, value] of pairs as Iterable<readonly [string, string]>) this.append(name, value);
  }

  append(name: string, value: string): void {
    const before = this.get(name);
    this.set(name, before === null ? value : `${before}, ${value}`);
  }

  set(name: string, value: string): void {
    this.#values.set(name.toLowerCase(), value);
  }

  delete(name: string): void {
    this.#values.delete(name.toLowerCase());
  }

  get(name: string): string | null {
    return this.#values.get(name.toLowerCase()) ?? null;
  }

  has(name: string): boolean {
    return this.#values.has(name.toLowerCase());
  }

  /** In the order of their names, as Node's own. */
  *entries(): Generator<[string, string]> {
    yield* [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  [Symbol.iterator](): Generator<[string, string]> {
    return this.entries();
  }
}

/** Nothing is one: OpenAI's client only asks whether what it was given is. */
class Response {}
class FormData {}

/**
 * Puts these in place of Node's own for the whole process. OpenAI's client takes all three from the global scope as soon as it is
 * imported, and each of Node's own loads all of its fetch, for which the client has no use with `createFetch`: a sixth of the
 * cold start of a chat (docs/performance.md). `fetch` itself stays Node's, and takes these headers as well.
 */
export function replaceWebGlobals(): void {
  // By assignment: Node makes each of its own when it is looked at, and a definition looks at what was there.
  Object.assign(globalThis, { Headers, Response, FormData });
}
