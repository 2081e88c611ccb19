import { afterAll, expect, it } from "vitest";
import { hostileRequests, sendRaw, watchProcess } from "../hostile.ts";
import { startBucket } from "./s3-fixtures.ts";
import { startQueues } from "./sqs-fixtures.ts";

const watched = watchProcess();
afterAll(() => watched.stop());

it.each([
  ["S3", async () => (await startBucket()).endpoint, "/tollgate-uploads/key"],
  ["SQS", async () => (await startQueues()).endpoint, "/"],
] as const)("no request ends the local %s", async (_, start, path) => {
  const endpoint = await start();
  for (const bytes of Object.values(hostileRequests(path))) await sendRaw(endpoint, bytes);
  const form = "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 90\r\nOrigin: x\r\n";
  const part = '--b\r\nContent-Disposition: form-data; name="__proto__"\r\n\r\n1\r\n--b--\r\n';
  await sendRaw(endpoint, `POST /tollgate-uploads HTTP/1.1\r\nHost: x\r\n${form}\r\n${part}`);
  expect((await fetch(endpoint, { method: "POST" })).status).toBeGreaterThanOrEqual(400);
  expect(watched.fatal).toEqual([]);
});
