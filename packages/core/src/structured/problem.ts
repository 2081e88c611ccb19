/** One thing that is wrong with a schema or a value, as data: the caller decides which error it becomes. */
export interface Problem {
  /** Where: `properties.items.anyOf[0]`, `properties["a b"]`; empty for the whole. */
  path: string;
  /** What is wrong, as one sentence. */
  message: string;
  /** What to do about it, as an imperative without a full stop. */
  mend?: string;
}

const identifier = /^[A-Za-z_$][\w$-]*$/;
/** A hostile name may be a megabyte long, and stands in the path of everything below it. */
const maxNameLength = 80;

/** `at("properties", "name")` is `properties.name`; a number is an array's index, an odd name is quoted. */
export function at(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  const name = key.length > maxNameLength ? `${key.slice(0, maxNameLength)}…` : key;
  if (!identifier.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === "" ? name : `${path}.${name}`;
}
