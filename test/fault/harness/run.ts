import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type SQSClient,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import { leaseIndex } from "@tollgate/core/dynamodb/keys";
import { leaseMs } from "@tollgate/core/result/claim";
import { leaseShardKeys } from "@tollgate/core/result/item";
import { readManifest } from "@tollgate/local/manifest";
import { awsClients } from "../../e2e/client.ts";
import { judge, type Verdict } from "./judge.ts";
import { count, createStage, type HarnessStage, type Tally } from "./stage.ts";
import { startWorkload } from "./workload.ts";

export interface RunOptions {
  seed: number;
  /** How long clients send and faults strike; the recovery takes about a minute more. */
  seconds: number;
  progress: (step: string) => void;
  /** What is done to the stage after the judgement; a second one follows. */
  meddle?: (stage: HarnessStage) => Promise<void>;
  /** Ends the run early, with nothing left behind. */
  signal?: AbortSignal;
}

export interface Run {
  seed: number;
  requests: Tally;
  faults: Tally;
  verdict: Verdict;
  /** After `meddle`. */
  secondVerdict: Verdict | null;
}

const root = join(import.meta.dirname, "../../..");

/** The longest that everything may take to come to an end once nothing goes wrong any more. */
const recoveryMs = 240_000;

/** Faults, a restart in their midst, and a recovery without any: then the books have to agree. */
export async function runOnce({ seed, seconds, progress, meddle, signal }: RunOptions): Promise<Run> {
  const dir = mkdtempSync(join(tmpdir(), "tollgate-fault-"));
  const [requests, faults]: [Tally, Tally] = [new Map(), new Map()];
  const stage = createStage(dir, faults);
  const told = (step: string) => {
    signal?.throwIfAborted();
    progress(step);
  };
  let failed = true;
  let workload: Awaited<ReturnType<typeof startWorkload>> | undefined;
  try {
    told("starting a stage");
    await stage.start(seed);
    workload = await startWorkload(stage, seed, { requests, faults });
    told(`faults for ${seconds} s`);
    await setTimeout((seconds / 2) * 1000, null, { signal });
    await stage.kill();
    count(faults, "stage killed");
    await stage.start(seed + 1_000_000);
    await setTimeout((seconds / 2) * 1000, null, { signal });
    stage.disarm();
    await workload.stop();
    told("waiting for leases to end");
    await setTimeout(leaseMs + 1_000, null, { signal });
    // What waits out a back-off in a queue comes back at once to a stage that starts.
    await stage.kill();
    await stage.start(null);
    told("recovering");
    await recover(stage, signal);
    told("judging");
    const verdict = await judge(stage, workload.told);
    failed = verdict.audit.problems.length + verdict.lost.length + verdict.double.length > 0;
    await meddle?.(stage);
    const secondVerdict = meddle ? await judge(stage, workload.told) : null;
    return { seed, requests, faults, verdict, secondVerdict };
  } finally {
    const stopped = workload?.stop();
    await stage.stop();
    await stopped;
    // The state of a run that went wrong is evidence.
    if (!failed || signal?.aborted) rmSync(dir, { recursive: true, force: true });
    else progress(`what the stage kept is in ${dir}`);
  }
}

/** Until everything has come to an end, and once more for what the dead-letter queues hold. */
async function recover(stage: HarnessStage, signal: AbortSignal | undefined): Promise<void> {
  await settled(stage, signal);
  const { sqs } = awsClients(stage.info);
  for (const queue of Object.values(readManifest(root).queues)) {
    const { arn, waiting } = await depthOf(sqs, queue.name);
    if (!queue.deadLetter && waiting > 0) await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arn }));
  }
  await settled(stage, signal);
}

/** Until no attempt holds a result and the queues are empty. What waits out a back-off there is brought back. */
async function settled(stage: HarnessStage, signal: AbortSignal | undefined): Promise<void> {
  const sources = Object.values(readManifest(root).queues).filter(({ deadLetter }) => deadLetter);
  const untilMs = Date.now() + recoveryMs;
  for (let idle = 0; ; await setTimeout(1_000, null, { signal })) {
    const { sqs } = awsClients(stage.info);
    const depths = await Promise.all(sources.map(({ name }) => depthOf(sqs, name)));
    const sum = (of: "waiting" | "inFlight") => depths.reduce((total, depth) => total + depth[of], 0);
    const held = await heldResults(stage);
    if (sum("waiting") + sum("inFlight") + held.length === 0) return;
    if (Date.now() > untilMs) {
      const messages = `${sum("waiting")} messages wait, ${sum("inFlight")} are in flight`;
      throw new Error(
        `After ${recoveryMs / 1000} s ${messages}, and ${held.length} results are held: ${held.slice(0, 5)}.`,
      );
    }
    idle = sum("waiting") + held.length === 0 ? idle + 1 : 0;
    if (idle < 3) continue;
    // A stage that starts finds visible what another has received.
    await stage.kill();
    await stage.start(null);
    idle = 0;
  }
}

/** Those that an attempt holds: one that was given back waits in the same index, for days. */
async function heldResults(stage: HarnessStage): Promise<string[]> {
  const { dynamodb } = awsClients(stage.info);
  const leaseEndsBy = Date.now() + 2 * leaseMs;
  const pages = await Promise.all(
    leaseShardKeys.map((shard) =>
      dynamodb.send(
        new QueryCommand({
          TableName: stage.info.table,
          IndexName: leaseIndex,
          KeyConditionExpression: "lease_pk = :shard AND lease_expires_at < :by",
          ExpressionAttributeValues: { ":shard": shard, ":by": leaseEndsBy },
        }),
      ),
    ),
  );
  return pages.flatMap(({ Items = [] }) => Items.map(({ pk }) => String(pk)));
}

async function depthOf(sqs: SQSClient, QueueName: string) {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  const { ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible, QueueArn } = Attributes ?? {};
  return {
    arn: QueueArn,
    waiting: Number(ApproximateNumberOfMessages),
    inFlight: Number(ApproximateNumberOfMessagesNotVisible),
  };
}
