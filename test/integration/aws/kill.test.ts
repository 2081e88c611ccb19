import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { startDynamoDB } from "../../../packages/local/src/aws/dynamodb.ts";
import { startSqs } from "../../../packages/local/src/aws/sqs.ts";
import { account, credentialsOf, developer, principalsOf, queueSpec, region, tableSpec } from "./fixtures.ts";
import { bucket, startBucket } from "./s3-fixtures.ts";

let dir: string;
let javaPid: number;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "tollgate-kill-"));
  const script = path.join(import.meta.dirname, "killed-stage.ts");
  const stage = spawn(process.execPath, [script, dir], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  for await (const chunk of stage.stdout) {
    output += chunk;
    if (output.includes("\n")) break;
  }
  javaPid = JSON.parse(output).java;
  stage.kill("SIGKILL");
  await once(stage, "exit");
});

afterAll(() => rm(dir, { recursive: true, force: true }));

describe("when the stage is killed by SIGKILL", () => {
  test("the JVM ends with it", async () => {
    expect(javaPid).toBeGreaterThan(0);
    await vi.waitFor(() => expect(() => process.kill(javaPid, 0)).toThrow("ESRCH"), 10_000);
  });

  test("what DynamoDB had acknowledged is still there", async () => {
    const spec = tableSpec({ primaryIndex: { hashKey: "pk", rangeKey: null }, globalIndexes: {}, ttlAttribute: null });
    const options = { dir: path.join(dir, "dynamodb"), principals: principalsOf(), tables: [spec], region, account };
    const dynamodb = await startDynamoDB(options);
    const client = new DynamoDBClient({ endpoint: dynamodb.endpoint, region, credentials: credentialsOf(developer) });
    onTestFinished(async () => {
      client.destroy();
      await dynamodb.stop();
    });
    const { Item } = await client.send(new GetItemCommand({ TableName: "ledger", Key: { pk: { S: "written" } } }));
    expect(Item).toEqual({ pk: { S: "written" } });
  });

  test("a message that was in flight comes back when its visibility ends", async () => {
    const queues = { Jobs: queueSpec("jobs", { visibilityTimeoutSeconds: 3 }) };
    const sqs = await startSqs({ dir: path.join(dir, "sqs"), principals: principalsOf(), queues, region, account });
    const client = new SQSClient({ endpoint: sqs.endpoint, region, credentials: credentialsOf(developer) });
    onTestFinished(async () => {
      client.destroy();
      await sqs.stop();
    });
    const receive = new ReceiveMessageCommand({
      QueueUrl: sqs.queueUrl("jobs"),
      WaitTimeSeconds: 10,
      MessageSystemAttributeNames: ["ApproximateReceiveCount"],
    });
    const { Messages } = await client.send(receive);
    expect(Messages).toMatchObject([{ Body: "in flight", Attributes: { ApproximateReceiveCount: "2" } }]);
  });

  test("the object is there, and its event that was never handed over is", async () => {
    const notifications = [{ queue: "Jobs", events: ["s3:ObjectCreated:*"], filterPrefix: null, filterSuffix: null }];
    const { client, events } = await startBucket({ dir: path.join(dir, "s3"), spec: { notifications } });
    const object = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "uploads/a" }));
    expect(await object.Body?.transformToString()).toBe("x");
    await vi.waitFor(() => expect(events.map(({ message }) => message).join()).toContain('"key":"uploads/a"'));
  });
});
