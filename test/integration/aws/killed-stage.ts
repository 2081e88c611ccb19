/** Run as a process of its own by kill.test.ts: starts the services in a folder, does half of something, and prints where it stands. */
import { spawnSync } from "node:child_process";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { startDynamoDB } from "../../../packages/local/src/aws/dynamodb.ts";
import { createPrincipals } from "../../../packages/local/src/aws/iam.ts";
import { startS3 } from "../../../packages/local/src/aws/s3.ts";
import { startSqs } from "../../../packages/local/src/aws/sqs.ts";
import { bucketSpec, queueSpec } from "./fixtures.ts";

const [dir = ""] = process.argv.slice(2);
const region = "us-east-1";
const principals = createPrincipals();
const credentials = { accessKeyId: "AKIADEVELOPER", secretAccessKey: "developer-secret" };
principals.add({ ...credentials, policy: "administrator", name: "developer" });
const common = { principals, region, account: "123456789012" };

const table = {
  name: "ledger",
  arn: "",
  attributes: { pk: "S" as const },
  primaryIndex: { hashKey: "pk", rangeKey: null },
  globalIndexes: {},
  ttlAttribute: null,
  pointInTimeRecovery: false,
  deletionProtection: false,
};
const queue = queueSpec("jobs", { visibilityTimeoutSeconds: 3 });
const notifications = [{ queue: "Jobs", events: ["s3:ObjectCreated:*"], filterPrefix: null, filterSuffix: null }];

const [dynamodb, sqs, s3] = await Promise.all([
  startDynamoDB({ dir: `${dir}/dynamodb`, tables: [table], ...common }),
  startSqs({ dir: `${dir}/sqs`, queues: { Jobs: queue }, ...common }),
  startS3({
    dir: `${dir}/s3`,
    buckets: [bucketSpec("tollgate-uploads", { notifications })],
    // The hand-over that never ends: the process is killed in the middle of it.
    onEvent: () => new Promise(() => {}),
    ...common,
  }),
]);

const client = { region, credentials };
await new DynamoDBClient({ ...client, endpoint: dynamodb.endpoint }).send(
  new PutItemCommand({ TableName: "ledger", Item: { pk: { S: "written" } } }),
);
const queues = new SQSClient({ ...client, endpoint: sqs.endpoint });
const QueueUrl = sqs.queueUrl("jobs");
await queues.send(new SendMessageCommand({ QueueUrl, MessageBody: "in flight" }));
await queues.send(new ReceiveMessageCommand({ QueueUrl }));
await new S3Client({ ...client, endpoint: s3.endpoint, forcePathStyle: true }).send(
  new PutObjectCommand({ Bucket: "tollgate-uploads", Key: "uploads/a", Body: "x" }),
);
const processes = spawnSync("ps", ["-A", "-o", "pid=,ppid=,comm="]).stdout.toString();
const java = new RegExp(`(\\d+)\\s+${process.pid}\\s+.*java$`, "m").exec(processes)?.[1];
console.log(JSON.stringify({ java: Number(java) }));
