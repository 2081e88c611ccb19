/** Tells on stderr, before each of `total` pieces of work, how far it has come: `… test/e2e: 12 of 80, 3 min, about 17 min left: Chat: …`. */
export function createProgress(name: string, total: number): (what: string) => void {
  const startedAtMs = performance.now();
  let begun = 0;
  return (what) => {
    const elapsedMs = performance.now() - startedAtMs;
    const left = begun === 0 ? "" : `, about ${duration((elapsedMs / begun) * (total - begun))} left`;
    begun += 1;
    console.error(`… ${name}: ${begun} of ${total}, ${duration(elapsedMs)}${left}: ${what}`);
  };
}

const duration = (ms: number) => (ms < 60_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`);
