/** An item, with the types of JavaScript that DynamoDB's have. */
export type Item = Record<string, unknown>;

interface Names {
  ExpressionAttributeNames?: Record<string, string> | undefined;
  ExpressionAttributeValues?: Record<string, unknown> | undefined;
}

/**
 * DynamoDB's expressions as far as core writes them: comparisons with AND and OR, `attribute_exists` and
 * `attribute_not_exists`; SET of a value or a sum, REMOVE, ADD. Throws on whatever else it meets, so that nothing is taken for
 * something that it is not.
 */
export function holds(expression: string, item: Item | undefined, names: Names): boolean {
  return expression
    .split(" OR ")
    .some((part) => part.split(" AND ").every((term) => termHolds(term.trim(), item, names)));
}

function termHolds(term: string, item: Item | undefined, names: Names): boolean {
  const [, what, path] = /^(attribute_exists|attribute_not_exists)\(([^()]+)\)$/.exec(term) ?? [];
  if (what && path) return (read(item, path, names) !== undefined) === (what === "attribute_exists");
  const [, left, operator, right] = /^(\S+) (=|<>|<|<=|>) (:\w+)$/.exec(term) ?? [];
  if (!left || !operator || !right) throw new Error(`No condition is known as "${term}".`);
  const [a, b] = [read(item, left, names), valueNamed(right, names)];
  if (operator === "<>") {
    if (a === undefined) throw new Error(`${left} is compared, and not there.`);
    return a !== b;
  }
  if (a === undefined || typeof a !== typeof b) return false;
  const order = compare(a, b);
  return operator === "=" ? order === 0 : operator === "<" ? order < 0 : operator === "<=" ? order <= 0 : order > 0;
}

function compare(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if ((typeof a === "string" && typeof b === "string") || (typeof a === "number" && typeof b === "number"))
    return a < b ? -1 : 1;
  throw new Error(`Nothing orders ${typeof a} and ${typeof b} here.`);
}

/** A copy of the item with the update made. */
export function updated(expression: string, item: Item, names: Names): Item {
  const copy = structuredClone(item);
  const clauses = expression.split(/\b(SET|REMOVE|ADD) /).slice(1);
  for (let i = 0; i < clauses.length; i += 2) {
    for (const part of (clauses[i + 1] ?? "").split(",")) change(clauses[i] ?? "", part.trim(), copy, item, names);
  }
  return copy;
}

function change(clause: string, part: string, copy: Item, before: Item, names: Names): void {
  const [path = "", value = ""] = part.split(" ");
  const [, target, operand, addend] = /^(\S+) = (\S+)(?: \+ (:\w+))?$/.exec(part) ?? [];
  if (clause === "REMOVE") {
    write(copy, part, undefined, names);
  } else if (clause === "ADD") {
    write(copy, path, numberAt(before, path, names, 0) + Number(valueNamed(value, names)), names);
  } else if (clause === "SET" && target && operand && addend) {
    write(copy, target, numberAt(before, operand, names) + Number(valueNamed(addend, names)), names);
  } else if (clause === "SET" && target && operand) {
    write(copy, target, valueNamed(operand, names), names);
  } else throw new Error(`No update is known as "${clause} ${part}".`);
}

function numberAt(item: Item, path: string, names: Names, absent?: number): number {
  const value = read(item, path, names) ?? absent;
  if (typeof value !== "number") throw new Error(`${path} is no number.`);
  return value;
}

const segments = (path: string, { ExpressionAttributeNames }: Names): string[] =>
  path.split(".").map((name) => {
    const known = name.startsWith("#") ? ExpressionAttributeNames?.[name] : name;
    if (known === undefined || !/^\w+$/.test(known)) throw new Error(`No attribute is known as "${name}".`);
    return known;
  });

function read(item: Item | undefined, path: string, names: Names): unknown {
  return segments(path, names).reduce<unknown>((value, name) => (value as Item | undefined)?.[name], item);
}

function write(item: Item, path: string, value: unknown, names: Names): void {
  const way = segments(path, names);
  const last = way.pop() as string;
  const parent = way.reduce<Item>((value, name) => value[name] as Item, item);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
}

function valueNamed(name: string, { ExpressionAttributeValues }: Names): unknown {
  const value = ExpressionAttributeValues?.[name];
  if (value === undefined) throw new Error(`No value is known as "${name}".`);
  return structuredClone(value);
}
