/** The value of a JSON text; null when it is no JSON. */
export function tryJson(text: string, parse: (text: string) => unknown = JSON.parse): unknown {
  try {
    return parse(text);
  } catch {
    return null;
  }
}
