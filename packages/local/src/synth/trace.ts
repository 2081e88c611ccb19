import { createHook } from "node:async_hooks";

/**
 * SST works on after infra/ has run, and an error of then has no line of infra/ on its stack. Notes where each promise was
 * made, which takes about as long again as the synthesis. Returns the stack on which it began that such a promise, now
 * rejected, came to be: its own, and those of the promises that led to it, innermost first.
 */
export function tracePromises(): (rejected: Promise<unknown>) => string {
  const made = new Map<number, { stack: string; cause: number }>();
  const ids = new WeakMap<object, number>();
  createHook({
    init(id, type, cause, resource) {
      if (type !== "PROMISE") return;
      made.set(id, { stack: new Error().stack ?? "", cause });
      ids.set(resource, id);
    },
  }).enable();
  return (rejected) => {
    const stacks: string[] = [];
    for (let it = made.get(ids.get(rejected) ?? 0); it; it = made.get(it.cause)) stacks.push(it.stack);
    return stacks.join("\n");
  };
}
