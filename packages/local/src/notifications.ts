import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { Principal, Principals } from "./aws/iam.ts";
import type { OnEvent } from "./aws/s3/outbox.ts";
import { newCredentials } from "./environment.ts";
import { type BucketSpec, type Manifest, queueNamed } from "./manifest.ts";

export interface NotifierOptions {
  bucket: BucketSpec;
  manifest: Pick<Manifest, "queues" | "region" | "account">;
  principals: Principals;
  sqs: { endpoint: string; queueUrl(name: string): string };
}

/**
 * S3 as SQS sees it when it sends a bucket's notifications: a service that the queue's policy has to let in.
 *
 * @throws Error for a queue that does not, as S3 refuses such a configuration
 */
export function createNotifier({ bucket, manifest, principals, sqs }: NotifierOptions) {
  const s3: Principal = {
    ...newCredentials(),
    name: "s3.amazonaws.com",
    policy: "service",
    context: { "aws:SourceArn": bucket.arn, "aws:SourceAccount": manifest.account },
  };
  principals.add(s3);
  for (const { queue } of bucket.notifications) {
    const { arn: resource, policy: resourcePolicy } = queueNamed(manifest, queue);
    const request = { principal: s3, action: "sqs:SendMessage", resource, resourcePolicy };
    if (principals.authorize(request).outcome === "allowed") continue;
    throw new Error(
      `Unable to validate the following destination configurations: the policy of ${queue} does not allow ${s3.name} ` +
        `to send it what happens in the bucket ${bucket.name} (sqs:SendMessage with aws:SourceArn ${bucket.arn}).`,
    );
  }
  const client = new SQSClient({ endpoint: sqs.endpoint, region: manifest.region, credentials: s3 });
  const notify: OnEvent = async ({ queue, message }) => {
    const QueueUrl = sqs.queueUrl(queueNamed(manifest, queue).name);
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: message }));
  };
  return { notify, stop: () => client.destroy() };
}
