import type { Manifest } from "../manifest.ts";

/** The manifest for a person: a line a route, a queue, a function without a route. */
export function summarize(manifest: Manifest): string {
  const { api, buckets, eventSourceMappings, functions, queues, schedules } = manifest;
  const limitsOf = (name: string) => {
    const fn = functions[name];
    return fn ? [`${fn.timeoutSeconds} s`, `${fn.memoryMb} MB`] : [];
  };
  const rows = [
    ["route", "", "function", "timeout", "memory", ""],
    ...api.routes.map(({ method, path, function: name, authorized, streaming }) => [
      method,
      path,
      name,
      ...limitsOf(name),
      [authorized ? "key" : "public", ...(streaming ? ["streams"] : [])].join(", "),
    ]),
    ...(api.authorizer
      ? [
          [
            "",
            "every key",
            api.authorizer.function,
            ...limitsOf(api.authorizer.function),
            `remembered ${api.authorizer.resultTtlSeconds} s`,
          ],
        ]
      : []),
    ...eventSourceMappings.map(({ queue, function: name, batchSize, maximumConcurrency }) => [
      "QUEUE",
      queue,
      name,
      ...limitsOf(name),
      `${batchSize} a batch, ${maximumConcurrency ?? "any number"} batches at once`,
    ]),
    ...Object.entries(schedules).map(([schedule, { everySeconds, function: name }]) => [
      "CLOCK",
      schedule,
      name,
      ...limitsOf(name),
      `every ${everySeconds / 60} minutes`,
    ]),
  ];
  const arrows = [
    ...Object.entries(buckets).flatMap(([bucket, { notifications }]) =>
      notifications.map(({ filterPrefix, queue }) => `${bucket} ${filterPrefix ?? ""}* → ${queue}`),
    ),
    ...Object.entries(queues).flatMap(([queue, { deadLetter }]) =>
      deadLetter ? [`${queue} after ${deadLetter.maxReceiveCount} receives → ${deadLetter.queue}`] : [],
    ),
  ];
  return [...align(rows), "", ...arrows].join("\n");
}

function align(rows: string[][]) {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, i) => Math.max(widest[i] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
