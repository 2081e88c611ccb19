export type Arrivals = ReturnType<typeof createArrivals>;

/** Wakes long polls: by queue name, when a message has come or become visible. */
export function createArrivals() {
  const waiters = new Map<string, Set<() => void>>();
  return {
    emit(queue: string): void {
      for (const wake of waiters.get(queue) ?? []) wake();
    },
    /** Resolves at the next arrival, after `timeoutMs`, or when the signal aborts. */
    wait(queue: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
      const waiting = waiters.get(queue) ?? new Set();
      waiters.set(queue, waiting);
      return new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          waiting.delete(wake);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        const timer = setTimeout(wake, timeoutMs);
        waiting.add(wake);
        signal.addEventListener("abort", wake);
      });
    },
  };
}
