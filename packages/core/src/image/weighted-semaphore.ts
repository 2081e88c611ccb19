/**
 * Does pieces of work side by side, as many as there is room for, in the order in which they come. One that is larger than the room
 * has it to itself.
 *
 * @returns does a piece of this size, and tells what it comes to
 */
export function weightedSemaphore(room: number) {
  const waiting: { taken: number; begin: () => void }[] = [];
  let free = room;

  function beginNext(): void {
    for (let [first] = waiting; first && first.taken <= free; [first] = waiting) {
      free -= first.taken;
      waiting.shift();
      first.begin();
    }
  }

  return async <T>(size: number, work: () => Promise<T>): Promise<T> => {
    const taken = Math.min(size, room);
    await new Promise<void>((begin) => {
      waiting.push({ taken, begin });
      beginNext();
    });
    try {
      return await work();
    } finally {
      free += taken;
      beginNext();
    }
  };
}
