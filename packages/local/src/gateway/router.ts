import type { RouteSpec } from "../manifest.ts";

export interface RouteMatch {
  /** The resource that the path belongs to, such as `/results/{id}`. */
  resourcePath: string;
  /** Null when the resource has no such method. */
  route: RouteSpec | null;
  pathParameters: Record<string, string>;
}

/** How API Gateway ranks the parts of a resource: a literal before `{id}` before `{proxy+}`. */
const LITERAL = 0;
const PARAMETER = 1;
const GREEDY = 2;

/** Makes the function that finds the resource and method for a request, or null when there is no such resource. */
export function createRouter(routes: RouteSpec[]): (method: string, path: string) => RouteMatch | null {
  const resources = [...new Set(routes.map(({ path }) => path))]
    .map((path) => ({ path, segments: segmentsOf(path) }))
    .sort((a, b) => bySpecificity(a.segments, b.segments));

  return (method, path) => {
    const given = segmentsOf(path);
    for (const resource of resources) {
      const pathParameters = matchSegments(resource.segments, given);
      if (pathParameters === null) continue;
      const methods = routes.filter((route) => route.path === resource.path);
      const route = methods.find((route) => route.method === method) ?? methods.find((route) => route.method === "ANY");
      return { resourcePath: resource.path, route: route ?? null, pathParameters };
    }
    return null;
  };
}

/** A slash at the end makes no difference. */
function segmentsOf(path: string): string[] {
  const segments = path.split("/").slice(1);
  return segments.at(-1) === "" ? segments.slice(0, -1) : segments;
}

function rank(segment: string): number {
  if (!segment.startsWith("{")) return LITERAL;
  return segment.endsWith("+}") ? GREEDY : PARAMETER;
}

function bySpecificity(a: string[], b: string[]): number {
  for (const [i, segment] of a.entries()) {
    const other = b[i];
    if (other === undefined) return -1;
    if (rank(segment) !== rank(other)) return rank(segment) - rank(other);
  }
  return a.length - b.length;
}

function matchSegments(pattern: string[], given: string[]): Record<string, string> | null {
  const parameters: Record<string, string> = {};
  for (const [i, segment] of pattern.entries()) {
    const value = given[i];
    if (value === undefined || value === "") return null;
    if (rank(segment) === GREEDY) {
      parameters[segment.slice(1, -2)] = decode(given.slice(i).join("/"));
      return parameters;
    }
    if (rank(segment) === PARAMETER) parameters[segment.slice(1, -1)] = decode(value);
    else if (segment !== decode(value)) return null;
  }
  return pattern.length === given.length ? parameters : null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
