import type { S3Store } from "./store.ts";

export type OnEvent = (event: { queue: string; message: string }) => Promise<void>;

/** Between attempts to hand over a message that its queue did not take. */
const retryMs = 500;

export type Outbox = ReturnType<typeof createOutbox>;

/**
 * Hands over what the store's outbox holds, oldest first, and forgets a message only after its queue has taken it: at least once,
 * as S3 notifies. What a killed process left is handed over by the next.
 */
export function createOutbox(store: S3Store, onEvent: OnEvent) {
  let running: Promise<void> | null = null;
  let requested = false;
  let stopped = false;
  let retry: NodeJS.Timeout | undefined;

  async function drain(): Promise<void> {
    while (requested && !stopped) {
      requested = false;
      let failed = false;
      for (const { id, queue, message } of store.outbox()) {
        if (stopped) return;
        try {
          await onEvent({ queue, message });
          store.removeFromOutbox(id);
        } catch {
          failed = true;
        }
      }
      if (failed) retry = setTimeout(flush, retryMs);
    }
  }

  function flush(): void {
    clearTimeout(retry);
    requested = true;
    running ??= drain().finally(() => {
      running = null;
      // A flush may have come between the last look and here.
      if (requested && !stopped) flush();
    });
  }

  return {
    flush,
    async stop(): Promise<void> {
      stopped = true;
      clearTimeout(retry);
      await running;
    },
  };
}
