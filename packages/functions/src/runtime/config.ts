import { Resource } from "sst/resource";
import { parseConfig } from "./environment.ts";

// The composition root: nothing outside this folder reads the environment or a link.

/** Names and secrets that `infra/` links to a function. SST throws, naming the link, when one is missing. */
const links = Resource as unknown as {
  App: { stage: string };
  Ledger: { name: string };
  Images: { name: string };
  ImageUploadedQueue: { url: string };
  RequestDeferredQueue: { url: string };
  SettleLaterQueue: { url: string };
  OpenAIApiKey: { value: string };
};

export const stageName = (): string => links.App.stage;
export const tableName = (): string => links.Ledger.name;
export const bucketName = (): string => links.Images.name;
export const queueUrl = (name: "ImageUploadedQueue" | "RequestDeferredQueue" | "SettleLaterQueue"): string =>
  links[name].url;
export const openaiApiKey = (): string => links.OpenAIApiKey.value;

export const config = <K extends Parameters<typeof parseConfig>[1][number]>(...names: K[]) =>
  parseConfig(process.env, names);

export const now = () => new Date();
