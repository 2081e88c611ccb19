import Table from "cli-table3";

type Cell = string | number | null | undefined;

/** Rows as a table for a terminal: their names as its head, numbers to the right, nothing for null. A last row may be a total. */
export function table(rows: readonly Record<string, Cell>[], total?: Record<string, Cell>): string {
  const all = total ? [...rows, total] : rows;
  const names = [...new Set(all.flatMap((row) => Object.keys(row)))];
  const isNumeric = (name: string) => all.every((row) => !row[name] || !Number.isNaN(Number(row[name])));
  const drawn = new Table({
    head: names,
    colAligns: names.map((name) => (isNumeric(name) ? "right" : "left")),
    style: { head: [], border: [], compact: true },
  });
  drawn.push(...rows.map((row) => names.map((name) => row[name] ?? "")));
  if (total)
    drawn.push(
      names.map(() => ""),
      names.map((name) => total[name] ?? ""),
    );
  return drawn.toString();
}
