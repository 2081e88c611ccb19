import type { ResultStore } from "@tollgate/core/result/store";
import type { TextStore } from "@tollgate/core/s3/text-store";
import { bucketName } from "./config.ts";
import { resultTable } from "./table.ts";
import { longTimeouts } from "./timeouts.ts";

let loaded: Promise<TextStore> | undefined;
const load = () => {
  loaded ??= Promise.all([import("@aws-sdk/client-s3"), import("@tollgate/core/s3/s3-text-store")]).then(
    ([{ S3Client }, { createS3TextStore }]) =>
      createS3TextStore(new S3Client({ requestHandler: longTimeouts }), bucketName()),
  );
  return loaded;
};

/** What does not fit into the table. S3's client is loaded with the first text: nearly no request has one. */
export const texts: TextStore = {
  put: async (key, text) => (await load()).put(key, text),
  get: async (key) => (await load()).get(key),
  remove: async (key) => (await load()).remove(key),
};

export const store: ResultStore = { ...resultTable, answers: texts };
