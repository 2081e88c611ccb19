import { connect } from "node:net";

/** What no request may be taken for: names of every object's own, and values that no parser likes. */
export const hostileNames = [
  ...["constructor", "__proto__", "toString", "valueOf", "hasOwnProperty", "__defineGetter__", "prototype"],
  ...["%5F%5Fproto%5F%5F", "%", "%zz", "%00", "%ff", "a[b][c]", "then", "length", "0"],
];

/** Requests as they go over the wire, well-formed and not. */
export function hostileRequests(path: string): Record<string, string | Buffer> {
  const get = (target: string, headers = "") =>
    `GET ${target} HTTP/1.1\r\nHost: x\r\n${headers}Connection: close\r\n\r\n`;
  const post = (headers: string, body: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n${body}`;
  return {
    ...Object.fromEntries(
      hostileNames.flatMap((name) => [
        [`a query parameter ${name}`, get(`${path}?${name}=1&${name}=2`)],
        [`a path that ends with ${name}`, get(`${path}/${name}`)],
        [
          `a header ${name}`,
          get(path, `${name.replaceAll(/[^\w-]/g, "-")}: 1\r\n${name.replaceAll(/[^\w-]/g, "-")}: 2\r\n`),
        ],
        [`a cookie ${name}`, get(path, `Cookie: ${name}=1\r\n`)],
      ]),
    ),
    "no Host": `GET ${path} HTTP/1.1\r\n\r\n`,
    "two Hosts": `GET ${path} HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n`,
    "HTTP/1.0": `GET ${path} HTTP/1.0\r\n\r\n`,
    "an unknown method": `BREW ${path} HTTP/1.1\r\nHost: x\r\n\r\n`,
    CONNECT: "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
    OPTIONS: "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    TRACE: `TRACE ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    "an upgrade": get(path, "Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n").replace("close", "Upgrade"),
    "an absolute target": get(`http://example.com${path}`),
    "a target without a slash": get("health"),
    "a target of two slashes": get("//"),
    "an expectation that nobody knows": post("Expect: magic\r\nContent-Length: 2\r\n", "{}"),
    "bad chunking": post("Transfer-Encoding: chunked\r\n", "zz\r\nhello\r\n0\r\n\r\n"),
    "an endless chunk size": post("Transfer-Encoding: chunked\r\n", "ffffffffffffffffff\r\n"),
    "a chunk that never ends": post("Transfer-Encoding: chunked\r\n", "5\r\nhel"),
    "two lengths": post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"),
    "a length and chunks": post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    "a length that is none": post("Content-Length: two\r\n", "{}"),
    "a body that ends early": post("Content-Length: 200\r\n", "{"),
    "trailers with hostile names": post(
      "Transfer-Encoding: chunked\r\n",
      "2\r\n{}\r\n0\r\n__proto__: 1\r\nconstructor: 2\r\n\r\n",
    ),
    "a header value of bytes over 127": Buffer.from(get(path, "X-Odd: \xe9\xff\r\nOrigin: \xff\r\n"), "latin1"),
    "a header value with a control character": Buffer.from(
      get(path, "Origin: a\x7fb\r\nAccess-Control-Request-Headers: a\x7f\r\n"),
      "latin1",
    ),
    "a header without a name": get(path, ": 1\r\n"),
    "a folded header": get(path, "X-Folded: a\r\n b\r\n"),
    "a thousand headers": get(path, Array.from({ length: 1000 }, (_, index) => `X-${index}: 1\r\n`).join("")),
    "a header of 100 KB": get(path, `X-Long: ${"a".repeat(100_000)}\r\n`),
    "a target of 100 KB": get(`${path}?${"a".repeat(100_000)}`),
    "pipelined garbage": `${get(path).replace("close", "keep-alive")}\x00\x01garbage\r\n\r\n`,
    "two pipelined requests": `${get(path).replace("close", "keep-alive")}${get(path)}`,
    "nothing but a line end": "\r\n\r\n",
    "binary noise": Buffer.from(Array.from({ length: 500 }, (_, index) => (index * 37) % 256)),
    "a TLS greeting": Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
  };
}

/** How long a request that nobody answers is waited for. */
const silenceMs = 300;

/** Sends bytes over a connection of their own and resolves with what came back, when it is closed or silent. */
export async function sendRaw(url: string, bytes: string | Buffer): Promise<string> {
  const { port } = new URL(url);
  return await new Promise((resolve) => {
    const socket = connect(Number(port), "127.0.0.1", () => socket.write(bytes));
    let received = "";
    socket.setTimeout(silenceMs, () => socket.destroy());
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
    });
    // A connection that the server resets is an answer, too.
    socket.on("error", () => {});
    socket.on("close", () => resolve(received));
  });
}

/** Everything that would have ended the process, had the test runner not caught it. */
export function watchProcess() {
  const fatal: unknown[] = [];
  const keep = (error: unknown) => void fatal.push(error);
  process.on("unhandledRejection", keep).on("uncaughtException", keep);
  return {
    fatal,
    stop: () => process.off("unhandledRejection", keep).off("uncaughtException", keep),
  };
}
