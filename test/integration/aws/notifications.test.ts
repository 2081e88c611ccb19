import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect, onTestFinished, test } from "vitest";
import { createPrincipals } from "../../../packages/local/src/aws/iam.ts";
import { startSqs } from "../../../packages/local/src/aws/sqs.ts";
import type { PolicyStatement } from "../../../packages/local/src/manifest.ts";
import { createNotifier } from "../../../packages/local/src/notifications.ts";
import { account, allow, bucketSpec, credentialsOf, developer, queueSpec, region, temporaryDir } from "./fixtures.ts";

const notification = { queue: "Jobs", events: ["s3:ObjectCreated:*"], filterPrefix: null, filterSuffix: null };
const bucket = bucketSpec("images", { notifications: [notification] });
const { arn } = queueSpec("jobs");
const fromBucket = (sourceArn: string): PolicyStatement => ({
  ...allow(["sqs:SendMessage"], [arn]),
  principals: { Service: ["s3.amazonaws.com"] },
  conditions: [
    { test: "ArnEquals", variable: "aws:SourceArn", values: [sourceArn] },
    { test: "StringEquals", variable: "aws:SourceAccount", values: [account] },
  ],
});

/** A bucket and its queue. `seenByS3` is the queue's policy as it was when S3 was told to notify it. */
async function start(policy: PolicyStatement[], seenByS3 = policy) {
  const principals = createPrincipals();
  principals.add(developer);
  const queues = { Jobs: queueSpec("jobs", { policy }) };
  const sqs = await startSqs({ dir: await temporaryDir(), principals, queues, region, account });
  onTestFinished(() => sqs.stop());
  const manifest = { queues: { Jobs: queueSpec("jobs", { policy: seenByS3 }) }, region, account };
  const { notify, stop } = createNotifier({ bucket, manifest, principals, sqs });
  onTestFinished(stop);
  const client = new SQSClient({ endpoint: sqs.endpoint, region, credentials: credentialsOf(developer) });
  onTestFinished(() => client.destroy());
  return {
    notify: () => notify({ queue: "Jobs", message: "an image" }),
    received: async () => (await client.send(new ReceiveMessageCommand({ QueueUrl: sqs.queueUrl("jobs") }))).Messages,
  };
}

test("S3 sends to a queue whose policy lets it in for this bucket", async () => {
  const { notify, received } = await start([fromBucket(bucket.arn)]);
  await notify();
  expect(await received()).toMatchObject([{ Body: "an image" }]);
});

test.each<[string, PolicyStatement[]]>([
  ["no policy", []],
  ["one for another bucket", [fromBucket("arn:aws:s3:::others")]],
  ["one for another action", [{ ...fromBucket(bucket.arn), actions: ["sqs:ReceiveMessage"] }]],
  ["one for another queue", [{ ...fromBucket(bucket.arn), resources: [queueSpec("others").arn] }]],
  ["one for another service", [{ ...fromBucket(bucket.arn), principals: { Service: ["sns.amazonaws.com"] } }]],
])("a queue with %s is refused at the start, naming queue and bucket", async (_, policy) => {
  await expect(start(policy)).rejects.toThrow(
    /Unable to validate the following destination configurations: .*Jobs .*s3\.amazonaws\.com .*images .*arn:aws:s3:::images/,
  );
});

test("a notification is refused by a queue that lets S3 in no more", async () => {
  const { notify, received } = await start([], [fromBucket(bucket.arn)]);
  await expect(notify()).rejects.toMatchObject({
    name: "AccessDenied",
    message:
      `User: s3.amazonaws.com is not authorized to perform: sqs:sendmessage on resource: ${arn} ` +
      "because no resource-based policy allows the sqs:sendmessage action",
  });
  expect(await received()).toBeUndefined();
});
