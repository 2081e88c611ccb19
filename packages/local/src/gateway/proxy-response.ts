/** A response ready to be written: names and values as HTTP sends them. */
export interface ProxyResponse {
  statusCode: number;
  headers: Map<string, string[]>;
}

/** API Gateway sends its own and keeps the function's under another name, or not at all. */
const REMAPPED_HEADERS = new Set([
  ...["connection", "content-length", "content-md5", "date", "host"],
  ...["max-forwards", "server", "user-agent", "www-authenticate"],
]);
const DROPPED_HEADERS = new Set([
  ...["expect", "keep-alive", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade"],
]);

/**
 * Reads the answer of a Lambda proxy integration.
 *
 * @throws Error saying what is malformed
 */
export function parseProxyResponse(payload: string): ProxyResponse & { body: string } {
  const answer: unknown = JSON.parse(payload);
  if (typeof answer !== "object" || answer === null) throw new Error("the function returned no object");
  const body: unknown = Reflect.get(answer, "body") ?? "";
  if (typeof body !== "string") throw new Error("body is not a string");
  // With no binary media types, a REST API does not decode a body that says isBase64Encoded.
  return { ...parseHead(answer), body };
}

/**
 * Reads status and headers, which buffered and streamed responses have in common. `multiValueHeaders` win over `headers`.
 *
 * @throws Error saying what is malformed
 */
export function parseHead(answer: object): ProxyResponse {
  const statusCode = Number(Reflect.get(answer, "statusCode"));
  if (!Number.isInteger(statusCode) || statusCode < 200 || statusCode > 599) {
    throw new Error(`statusCode is ${JSON.stringify(Reflect.get(answer, "statusCode"))}`);
  }
  const headers = new Map<string, string[]>();
  for (const [name, value] of Object.entries(Reflect.get(answer, "headers") ?? {})) {
    setHeader(headers, name, [value]);
  }
  for (const [name, values] of Object.entries(Reflect.get(answer, "multiValueHeaders") ?? {})) {
    if (!Array.isArray(values)) throw new Error(`multiValueHeaders.${name} is not a list`);
    setHeader(headers, name, values);
  }
  const cookies: unknown = Reflect.get(answer, "cookies");
  if (Array.isArray(cookies)) setHeader(headers, "set-cookie", cookies);
  return { statusCode, headers };
}

function setHeader(headers: Map<string, string[]>, name: string, values: unknown[]) {
  const lowerCase = name.toLowerCase();
  if (DROPPED_HEADERS.has(lowerCase)) return;
  if (values.some((value) => typeof value === "object")) throw new Error(`header ${name} is not a string`);
  const sentAs = REMAPPED_HEADERS.has(lowerCase) ? `x-amzn-remapped-${lowerCase}` : lowerCase;
  headers.set(sentAs, values.map(String));
}
