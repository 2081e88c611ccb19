import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A door that functions wait at, from their own processes, until a test opens it. Tests assert order, never speed. */
export async function startGate() {
  let arrivals = 0;
  const watchers = new Set<() => void>();
  const opened = Promise.withResolvers<void>();
  const server = createServer(async (_request, response) => {
    arrivals += 1;
    for (const notify of watchers) notify();
    await opened.promise;
    response.end("open");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Resolves when so many have come. */
    arrived: (count: number) =>
      new Promise<void>((resolve) => {
        const check = () => arrivals >= count && resolve();
        watchers.add(check);
        check();
      }),
    open: () => opened.resolve(),
    async close() {
      opened.resolve();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
