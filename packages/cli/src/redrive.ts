import { setTimeout } from "node:timers/promises";
import {
  CancelMessageMoveTaskCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListMessageMoveTasksCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { readManifest } from "@tollgate/local/manifest";
import * as z from "zod";
import { parseCommand, run, UsageError } from "./command.ts";
import { openQueues, type Queues } from "./queues.ts";
import { root } from "./stage.ts";

const usage = `npm run redrive                          send what lies in the dead-letter queues back to be worked on again
      -- --queue ImageUploadedQueue      of this queue only
      -- --dry-run                       only tell how much there is

What was paid for is not paid for again: its result is there, and its message ends. It works on the running local stage
(--dir FOLDER when it was started with one); for a deployed one: npx sst shell --stage <stage> -- npm run redrive`;

const pollMs = 1_000;

async function main(): Promise<void> {
  const { values, positionals } = parseCommand({ queue: { type: "string" }, "dry-run": { type: "boolean" } });
  if (values.help) return console.log(usage);
  if (positionals.length > 0) throw new UsageError(`What is "${positionals.join(" ")}"?`);
  const known = readManifest(root).eventSourceMappings.map(({ queue }) => queue);
  if (values.queue !== undefined && !known.includes(values.queue)) {
    throw new UsageError(`--queue: There is no queue "${values.queue}". There are ${known.join(", ")}.`);
  }
  const queues = openQueues(values.dir);
  for (const name of values.queue === undefined ? known : [values.queue]) {
    const { arn, waiting } = await deadLettersOf(queues, name);
    if (waiting === 0) console.log(`${name}: its dead-letter queue is empty.`);
    else if (values["dry-run"]) console.log(`${name}: ${messages(waiting)} would be sent back.`);
    else console.log(`${name}: ${messages(await move(queues, name, arn))} sent back.`);
  }
}

const messages = (count: number): string => (count === 1 ? "1 message" : `${count.toLocaleString("en")} messages`);

const redrivePolicy = z.object({ deadLetterTargetArn: z.string() });

/** A queue's own dead-letter queue, and about how many messages lie there. */
async function deadLettersOf({ sqs, urlOf }: Queues, name: string) {
  const { Attributes: own } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: await urlOf(name), AttributeNames: ["RedrivePolicy"] }),
  );
  const { deadLetterTargetArn: arn } = redrivePolicy.parse(JSON.parse(own?.RedrivePolicy ?? "{}"));
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: arn.split(":").at(-1) }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["ApproximateNumberOfMessages"] }),
  );
  return { arn, waiting: Number(Attributes?.ApproximateNumberOfMessages) };
}

/** SQS moves them itself, each to the queue that it came from; Ctrl-C stops it. Returns how many it moved. */
async function move({ sqs }: Queues, name: string, SourceArn: string): Promise<number> {
  const { TaskHandle } = await sqs.send(new StartMessageMoveTaskCommand({ SourceArn }));
  const stop = () => {
    process.stderr.write("\nstopping …\n");
    sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle })).then(
      () => process.exit(130),
      () => process.exit(130),
    );
  };
  process.once("SIGINT", stop);
  try {
    for (;;) {
      const { Results } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 1 }));
      const task = Results?.[0];
      const moved = task?.ApproximateNumberOfMessagesMoved ?? 0;
      if (task?.Status === "COMPLETED") return moved;
      if (task?.Status !== "RUNNING") {
        throw new Error(`${name}: SQS stopped after ${messages(moved)}: ${task?.FailureReason ?? task?.Status}.`);
      }
      process.stderr.write(`… ${name}: ${moved} of ${task.ApproximateNumberOfMessagesToMove} moved\n`);
      await setTimeout(pollMs);
    }
  } finally {
    process.off("SIGINT", stop);
  }
}

run(usage, main);
