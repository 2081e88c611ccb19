/** What evaluating `sst.config.ts` registers, before anything is made of it. Sent from the evaluating process as JSON. */
export interface Graph {
  app: string;
  stage: string;
  region: string;
  account: string;
  /** Whether `sst remove` is refused. It says nothing of deployments: see `Resource.protect`. */
  protect: boolean;
  /** SST's: what `sst remove` does with tables and buckets, `remove` or `retain`. */
  removal: string;
  /** Names of `sst.Secret`s. */
  secrets: string[];
  /** Every resource that Pulumi would ask a provider for, in the order of registration. */
  resources: Resource[];
  /** What SST asks its bundler for, by the function's name in `infra/`. */
  builds: Record<string, Build>;
}

export interface Resource {
  /** Pulumi's: `aws:sqs/queue:Queue`. */
  type: string;
  /** Pulumi's logical name, `ImageUploadedQueueQueue`: SST appends what it makes to the component's name. */
  name: string;
  inputs: Record<string, unknown>;
  /** Whether Pulumi fails a deployment that would delete or replace it. */
  protect: boolean;
  /** What the resource would be known by once made: inputs, ARN, URL. Other resources' inputs refer to these. */
  state: Record<string, unknown>;
}

/** Parameters of SST's `Runtime.Build` call. */
export interface Build {
  handler: string;
  links: Record<string, Record<string, unknown>>;
  properties: Record<string, unknown>;
  copyFiles: unknown[];
}

/**
 * What the evaluating process answers: the graph, or what is wrong with the configuration in words for its author. Not
 * `placed`: a traced evaluation would know the line.
 */
export type Answer = { graph: Graph } | { mistake: string; placed: boolean };
