import { lookup } from "node:dns";
import { Agent } from "node:http";
import zlib from "node:zlib";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { Sha256 } from "@smithy/core/checksum";
import { getSigningKey, SignatureV4 } from "@smithy/signature-v4";
import { describe, expect, onTestFinished, test } from "vitest";
import { hmacHex, sha256Hex } from "../../../packages/local/src/aws/sigv4.ts";
import { credentialsOf, developer, region } from "./fixtures.ts";
import { bucket, send, startBucket } from "./s3-fixtures.ts";

const Bucket = bucket;

/** Headers of a PUT signed by the official signer, for bodies that no SDK would send. */
const signedPut = (endpoint: string, key: string, headers: Record<string, string>) =>
  signedRequest("PUT", endpoint, key, headers);
const signedGet = (endpoint: string, key: string) =>
  signedRequest("GET", endpoint, key, { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" });

async function signedRequest(method: string, endpoint: string, key: string, headers: Record<string, string>) {
  const { hostname, port, host } = new URL(endpoint);
  const signer = new SignatureV4({
    service: "s3",
    region,
    credentials: credentialsOf(developer),
    sha256: Sha256,
    uriEscapePath: false,
  });
  const path = `/${bucket}/${key}`;
  const signed = await signer.sign({
    method,
    protocol: "http:",
    hostname,
    port: Number(port),
    path,
    query: {},
    headers: { host, ...headers },
  });
  const date = signed.headers["x-amz-date"] ?? "";
  const signature = /Signature=(\w+)/.exec(signed.headers.authorization ?? "")?.[1] ?? "";
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
  const signingKey = await getSigningKey(Sha256, credentialsOf(developer), date.slice(0, 8), region, "s3");
  return { path, headers: signed.headers, date, signature, scope, signingKey };
}

async function read(client: S3Client, Key: string) {
  return (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
}

describe("a request's signature", () => {
  test("is refused by S3's own codes", async () => {
    const { clientOf, endpoint } = await startBucket();
    const get = new GetObjectCommand({ Bucket, Key: "k" });
    await expect(clientOf({ ...developer, accessKeyId: "AKIAUNKNOWN" }).send(get)).rejects.toMatchObject({
      name: "InvalidAccessKeyId",
      $metadata: { httpStatusCode: 403 },
    });
    await expect(clientOf({ ...developer, secretAccessKey: "guessed" }).send(get)).rejects.toMatchObject({
      name: "SignatureDoesNotMatch",
    });
    const { status, text } = await send(endpoint, "GET", `/${bucket}/k`, {});
    expect(status).toBe(403);
    expect(text).toMatch(
      /<Code>AccessDenied<\/Code><Message>Access Denied<\/Message><Resource>\/tollgate-uploads\/k<\/Resource>/,
    );
  });

  test("covers the hash of the body", async () => {
    const { endpoint } = await startBucket();
    const { path, headers } = await signedPut(endpoint, "k", {
      "x-amz-content-sha256": sha256Hex("signed"),
      "content-length": "6",
    });
    const { status, text } = await send(endpoint, "PUT", path, headers, Buffer.from("forged"));
    expect([status, /<Code>(\w+)/.exec(text)?.[1]]).toEqual([400, "XAmzContentSHA256Mismatch"]);
  });

  test("may leave the body out as UNSIGNED-PAYLOAD", async () => {
    const { endpoint, client } = await startBucket();
    const { path, headers } = await signedPut(endpoint, "k", {
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
      "content-length": "3",
    });
    expect((await send(endpoint, "PUT", path, headers, Buffer.from("any"))).status).toBe(200);
    expect(await read(client, "k")).toBe("any");
  });

  const meant = "größe – 日本";
  const utf8 = Buffer.from(meant).toString("latin1");
  test.each([
    ["UTF-8, as Go and Python send it", utf8, meant, `=?UTF-8?B?${Buffer.from(utf8).toString("base64")}?=`],
    ["ISO-8859-1, as Node sends it", "größe", "größe", "=?UTF-8?Q?gr=C3=B6=C3=9Fe?="],
  ])("covers metadata in %s, which S3 reads as ISO-8859-1", async (_, sent, signed, answered) => {
    const { endpoint } = await startBucket();
    const { path, headers } = await signedPut(endpoint, "k", {
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
      "content-length": "1",
      "x-amz-meta-prompt": signed,
    });
    const wire = { ...headers, "x-amz-meta-prompt": sent };
    expect((await send(endpoint, "PUT", path, wire, Buffer.from("x"))).status).toBe(200);
    expect(
      (await send(endpoint, "PUT", path, { ...wire, "x-amz-meta-prompt": `${sent}!` }, Buffer.from("x"))).status,
    ).toBe(403);
    const get = await signedGet(endpoint, "k");
    expect((await send(endpoint, "GET", get.path, get.headers)).headers["x-amz-meta-prompt"]).toBe(answered);
  });

  test("of version 2 is refused by name", async () => {
    const { endpoint } = await startBucket();
    const { status, text } = await send(endpoint, "GET", `/${bucket}/k?AWSAccessKeyId=A&Signature=B&Expires=1`, {});
    expect(status).toBe(400);
    expect(text).toContain("Please use AWS4-HMAC-SHA256.");
  });
});

test("an upload that is refused leaves its connection to the next request", async () => {
  const { endpoint, client } = await startBucket();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const one = new S3Client({
    endpoint,
    region,
    credentials: { ...credentialsOf(developer), secretAccessKey: "guessed" },
    forcePathStyle: true,
    maxAttempts: 1,
    requestHandler: { httpAgent: agent },
  });
  onTestFinished(() => one.destroy());
  const large = new PutObjectCommand({ Bucket, Key: "k", Body: Buffer.alloc(8_000_000) });
  for (const _ of [1, 2, 3]) await expect(one.send(large)).rejects.toMatchObject({ name: "SignatureDoesNotMatch" });
  await expect(client.send(new GetObjectCommand({ Bucket, Key: "k" }))).rejects.toMatchObject({ name: "NoSuchKey" });
});

describe("a presigned URL", () => {
  test("reads and writes without any header", async () => {
    const { client } = await startBucket();
    const Key = "a b+c%25/日本 (1)!'*.txt";
    const put = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key, Metadata: { from: "url" } }), {
      expiresIn: 60,
    });
    expect((await fetch(put, { method: "PUT", body: "by url" })).status).toBe(200);
    const get = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key, ResponseContentType: "text/x-own" }));
    const response = await fetch(get);
    expect(await response.text()).toBe("by url");
    expect(response.headers.get("content-type")).toBe("text/x-own");
    expect(response.headers.get("x-amz-meta-from")).toBe("url");
  });

  test("expires, and cannot be changed", async () => {
    const { client } = await startBucket();
    await client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }));
    const signingDate = new Date(Date.now() - 61_000);
    const get = new GetObjectCommand({ Bucket, Key: "k" });
    const expired = await fetch(await getSignedUrl(client, get, { expiresIn: 60, signingDate }));
    expect([expired.status, await expired.text()]).toEqual([403, expect.stringContaining("Request has expired")]);
    const url = await getSignedUrl(client, get, { expiresIn: 60 });
    for (const changed of [url.replace("Expires=60", "Expires=600"), url.replace("/k?", "/other?")]) {
      const response = await fetch(changed);
      expect([response.status, await response.text()]).toEqual([403, expect.stringContaining("SignatureDoesNotMatch")]);
    }
    expect((await fetch(url, { method: "DELETE" })).status).toBe(403);
  });

  test("does not take headers that were not signed", async () => {
    const { client } = await startBucket();
    const url = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: "k" }));
    for (const name of ["x-amz-meta-schema", "x-amz-copy-source"]) {
      const response = await fetch(url, { method: "PUT", body: "x", headers: { [name]: "tollgate-other/secret" } });
      const text = await response.text();
      expect(response.status).toBe(403);
      expect(text).toContain(`<HeadersNotSigned>${name}</HeadersNotSigned>`);
    }
  });
});

describe("a bucket in the host", () => {
  test.each(["localhost", "s3.localhost"])(
    "of %s is the same bucket, its requests signed for that host",
    async (domain) => {
      const { endpoint, client } = await startBucket();
      const agent = new Agent({ lookup: (_host, options, done) => lookup("127.0.0.1", options, done) });
      const virtual = new S3Client({
        endpoint: `http://${domain}:${new URL(endpoint).port}`,
        region,
        credentials: credentialsOf(developer),
        requestHandler: { httpAgent: agent },
      });
      onTestFinished(() => {
        virtual.destroy();
        agent.destroy();
      });
      await virtual.send(new PutObjectCommand({ Bucket, Key: "dir/k ü", Body: "virtual" }));
      expect(await read(client, "dir/k ü")).toBe("virtual");
      expect(await read(virtual, "dir/k ü")).toBe("virtual");
    },
  );
});

describe("an aws-chunked body", () => {
  const data = [Buffer.from("a".repeat(8192)), Buffer.from("the rest")];
  const decoded = Buffer.concat(data);

  /** `forge` changes what is sent after it was signed. */
  async function putSigned(endpoint: string, options: { trailer?: string; forge?: (body: string) => string } = {}) {
    const mode = `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${options.trailer ? "-TRAILER" : ""}`;
    const put = await signedPut(endpoint, "chunked", {
      "x-amz-content-sha256": mode,
      "x-amz-decoded-content-length": String(decoded.length),
      "content-encoding": "aws-chunked",
      ...(options.trailer ? { "x-amz-trailer": "x-amz-checksum-crc32" } : {}),
    });
    let previous = put.signature;
    const sign = (kind: string, ...hashes: string[]) => {
      previous = hmacHex(
        put.signingKey,
        [`AWS4-HMAC-SHA256-${kind}`, put.date, put.scope, previous, ...hashes].join("\n"),
      );
      return previous;
    };
    let body = "";
    for (const chunk of [...data, Buffer.alloc(0)]) {
      const signature = sign("PAYLOAD", sha256Hex(""), sha256Hex(chunk));
      body += `${chunk.length.toString(16)};chunk-signature=${signature}\r\n${chunk}${chunk.length > 0 ? "\r\n" : ""}`;
    }
    if (options.trailer) {
      const line = `x-amz-checksum-crc32:${options.trailer}`;
      body += `${line}\r\nx-amz-trailer-signature:${sign("TRAILER", sha256Hex(`${line}\n`))}\r\n`;
    }
    body = options.forge?.(`${body}\r\n`) ?? `${body}\r\n`;
    const answer = await send(endpoint, "PUT", put.path, put.headers, Buffer.from(body));
    return [answer.status, /<Code>(\w+)/.exec(answer.text)?.[1]];
  }

  test("is stored decoded when every chunk is signed", async () => {
    const { endpoint, client } = await startBucket();
    expect(await putSigned(endpoint)).toEqual([200, undefined]);
    const { Body, ContentEncoding } = await client.send(new GetObjectCommand({ Bucket, Key: "chunked" }));
    expect(await Body?.transformToString()).toBe(decoded.toString());
    expect(ContentEncoding).toBeUndefined();
  });

  test("is refused when a chunk is not what was signed, or is missing", async () => {
    const { endpoint } = await startBucket();
    expect(await putSigned(endpoint, { forge: (body) => body.replace("the rest", "the next") })).toEqual([
      403,
      "SignatureDoesNotMatch",
    ]);
    expect(await putSigned(endpoint, { forge: (body) => body.replace(/^2000;.*?\r\na+\r\n/s, "") })).toEqual([
      403,
      "SignatureDoesNotMatch",
    ]);
    expect(await putSigned(endpoint, { forge: (body) => body.slice(0, -120) })).toEqual([400, "IncompleteBody"]);
  });

  test("has its signed trailer verified, and the checksum in it", async () => {
    const { endpoint } = await startBucket();
    const crc32 = Buffer.from(zlib.crc32(decoded).toString(16).padStart(8, "0"), "hex").toString("base64");
    expect(await putSigned(endpoint, { trailer: crc32 })).toEqual([200, undefined]);
    expect(await putSigned(endpoint, { trailer: "AAAAAA==" })).toEqual([400, "BadDigest"]);
    expect(await putSigned(endpoint, { trailer: crc32, forge: (body) => body.replace(crc32, "AAAAAA==") })).toEqual([
      403,
      "SignatureDoesNotMatch",
    ]);
    expect(
      await putSigned(endpoint, { trailer: crc32, forge: (body) => body.replace(/x-amz-trailer-signature.*\r\n/, "") }),
    ).toEqual([403, "SignatureDoesNotMatch"]);
  });
});
