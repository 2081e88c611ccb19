import { GetQueueUrlCommand, SQSClient } from "@aws-sdk/client-sqs";
import { readManifest } from "@tollgate/local/manifest";
import { clientOf, links, localStage, root } from "./stage.ts";

export type Queues = ReturnType<typeof openQueues>;

/** The queues that a command works on, by their names in `infra/`. */
export function openQueues(dir?: string) {
  const stage = localStage(dir);
  const sqs = new SQSClient(clientOf(stage, "sqs"));
  const urlOf = async (name: string): Promise<string | undefined> => {
    if (!stage) return links[name]?.url;
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: readManifest(root).queues[name]?.name }));
    return QueueUrl;
  };
  return { sqs, urlOf };
}
