import { weightedSemaphore } from "@tollgate/core/image/weighted-semaphore";
import fc from "fast-check";
import { expect, test } from "vitest";

/** Work that lasts until it is told to end, and what it did. */
function workshop(room: number) {
  const share = weightedSemaphore(room);
  const atWork = new Map<string, PromiseWithResolvers<string>>();
  return {
    begun: () => [...atWork.keys()],
    share: (name: string, size: number) =>
      share(size, () => {
        const work = Promise.withResolvers<string>();
        atWork.set(name, work);
        return work.promise.finally(() => atWork.delete(name));
      }),
    async end(name: string, failure?: Error) {
      const { resolve, reject } = atWork.get(name) ?? Promise.withResolvers();
      if (failure) reject(failure);
      else resolve(`${name} is done`);
      await settled();
    },
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("does side by side what there is room for, in the order in which it came", async () => {
  const { share, begun, end } = workshop(10);
  const done = [share("a", 4), share("b", 6), share("c", 5), share("d", 1)];
  await settled();
  // "d" would fit beside "b" and does not overtake: a large one would never have its turn.
  expect(begun()).toEqual(["a", "b"]);
  await end("a");
  expect(begun()).toEqual(["b"]);
  await end("b");
  expect(begun()).toEqual(["c", "d"]);
  await end("c");
  await end("d");
  expect(await Promise.all(done)).toEqual(["a is done", "b is done", "c is done", "d is done"]);
});

test("does alone what is larger than the room", async () => {
  const { share, begun, end } = workshop(10);
  const done = [share("small", 1), share("huge", 25), share("next", 1)];
  await settled();
  expect(begun()).toEqual(["small"]);
  await end("small");
  expect(begun()).toEqual(["huge"]);
  await end("huge");
  await end("next");
  await Promise.all(done);
});

test("goes on after work that failed", async () => {
  const { share, begun, end } = workshop(1);
  const failed = expect(share("bad", 1)).rejects.toThrow("broken");
  const good = share("good", 1);
  await settled();
  await end("bad", new Error("broken"));
  await failed;
  expect(begun()).toEqual(["good"]);
  await end("good");
  expect(await good).toBe("good is done");
});

test("never holds more than there is room for, and does everything", async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 30 }), sizes, fc.scheduler(), async (room, sizes, scheduler) => {
      const share = weightedSemaphore(room);
      let held = 0;
      const work = (size: number) => async () => {
        held += Math.min(size, room);
        expect(held).toBeLessThanOrEqual(room);
        await scheduler.schedule(Promise.resolve());
        held -= Math.min(size, room);
        return size;
      };
      const all = Promise.all(sizes.map((size) => share(size, work(size))));
      await scheduler.waitFor(all);
      expect(await all).toEqual(sizes);
    }),
  );
});
