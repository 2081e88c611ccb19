import {
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { onTestFinished } from "vitest";
import type { Faults } from "../../../packages/local/src/aws/fault.ts";
import type { Principal } from "../../../packages/local/src/aws/iam.ts";
import { startSqs } from "../../../packages/local/src/aws/sqs.ts";
import type { QueueSpec } from "../../../packages/local/src/manifest.ts";
import type { Meter } from "../../../packages/local/src/meter.ts";
import {
  account,
  allow,
  credentialsOf,
  developer,
  functionPrincipal,
  principalsOf,
  queueSpec,
  region,
  temporaryDir,
} from "./fixtures.ts";

/** May receive and delete, and nothing else. */
export const consumer = functionPrincipal("consumer", [
  allow(["sqs:ReceiveMessage", "sqs:DeleteMessage"], [`arn:aws:sqs:${region}:${account}:jobs`]),
]);

/** A queue and its dead-letter queue, stopped when the test is over. */
export async function startQueues(overrides: Partial<QueueSpec> = {}, dir?: string, faults?: Faults, meter?: Meter) {
  const queues = { Jobs: queueSpec("jobs", overrides), Dead: queueSpec("jobs-dlq") };
  const sqs = await startSqs({
    dir: dir ?? (await temporaryDir()),
    principals: principalsOf(consumer),
    queues,
    region,
    account,
    faults,
    meter,
  });
  let stopped = false;
  const stop = async () => {
    if (!stopped) await sqs.stop();
    stopped = true;
  };
  onTestFinished(stop);
  const clientOf = (principal: Principal) => {
    const client = new SQSClient({
      endpoint: sqs.endpoint,
      region,
      credentials: credentialsOf(principal),
      maxAttempts: 1,
    });
    onTestFinished(() => client.destroy());
    return client;
  };
  const client = clientOf(developer);
  const QueueUrl = sqs.queueUrl("jobs");
  return {
    ...sqs,
    stop,
    client,
    clientOf,
    QueueUrl,
    send: (MessageBody: string) => client.send(new SendMessageCommand({ QueueUrl, MessageBody })),
    async receive(options: Partial<ReceiveMessageCommandInput> = {}) {
      const input = { QueueUrl, MessageSystemAttributeNames: ["All" as const], ...options };
      return (await client.send(new ReceiveMessageCommand(input))).Messages ?? [];
    },
  };
}
