import { bucketKey } from "./encryption.ts";
import { deferred } from "./limits.ts";
import { outputDays, uploadDays } from "./retention.ts";

// A link is where a function reads a name. SST's own also grants `dynamodb:*`, `s3:*` and `sqs:*`: without `include` it grants
// nothing, and each function lists the actions that it calls. Wrapped before the first table or bucket is made.
sst.Linkable.wrap(sst.aws.Dynamo, (table) => ({ properties: { name: table.name }, include: [] }));
sst.Linkable.wrap(sst.aws.Bucket, (bucket) => ({ properties: { name: bucket.name }, include: [] }));
sst.Linkable.wrap(sst.aws.Queue, (queue) => ({ properties: { url: queue.url }, include: [] }));

const production = $app.stage === "production";

// SST's `protect` only stops `sst remove`. Pulumi's, on a resource, also fails a deployment that would delete or replace it: a new
// name, another sort key. The queues are in it, since a waiting settlement may be all that is known of a bill. Sources: SST's
// `config.ts` 4.17 and Pulumi's "protect" resource option, November 2026. Before the first table, bucket or queue is made.
const protect = (_args: unknown, options: { protect?: boolean }) => {
  options.protect = $app.protect;
};
$transform(aws.dynamodb.Table, protect);
$transform(aws.s3.Bucket, protect);
$transform(aws.sqs.Queue, protect);

/** Results, usage counters and API keys: one table. Point-in-time recovery is SST's default. */
export const ledger = new sst.aws.Dynamo("Ledger", {
  fields: {
    pk: "string",
    sk: "string",
    owner_pk: "string",
    owner_sk: "string",
    lease_pk: "string",
    lease_expires_at: "number",
  },
  primaryIndex: { hashKey: "pk", rangeKey: "sk" },
  globalIndexes: {
    by_owner: { hashKey: "owner_pk", rangeKey: "owner_sk", projection: ["kind", "status"] },
    // Sparse: the results that an attempt holds, and no other.
    by_lease: { hashKey: "lease_pk", rangeKey: "lease_expires_at", projection: "keys-only" },
  },
  ttl: "expires_at",
  deletionProtection: production,
});

/**
 * `uploads/<owner>/…` comes in from clients; `outputs/…` holds outputs too large for an item; `requests/…` those that wait in a
 * queue. Private, HTTPS only.
 */
export const images = new sst.aws.Bucket("Images", {
  // A browser posts the form that `POST /uploads` signed. The signature decides what it may write, not the origin.
  cors: { allowMethods: ["POST"], allowOrigins: ["*"], allowHeaders: ["*"], maxAge: "1 day" },
  transform: { bucket: { forceDestroy: !production } },
});

if (bucketKey)
  new aws.s3.BucketServerSideEncryptionConfiguration("ImagesEncryption", {
    bucket: images.name,
    rules: [
      {
        applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: bucketKey },
        // One call of KMS serves many objects.
        bucketKeyEnabled: true,
      },
    ],
  });

const expire = (what: string, days: number | undefined) =>
  days ? [{ id: `expire-${what}`, status: "Enabled", filter: { prefix: `${what}/` }, expiration: { days } }] : [];

new aws.s3.BucketLifecycleConfiguration("ImagesLifecycle", {
  bucket: images.name,
  rules: [
    {
      id: "abort-unfinished-uploads",
      status: "Enabled",
      // Everything. The provider warns of a rule that does not say so.
      filter: { prefix: "" },
      abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
    },
    ...expire("requests", deferred.requestRetentionDays),
    ...expire("uploads", uploadDays),
    ...expire("outputs", outputDays),
  ],
});

/** What a function may touch, for its `permissions`. */
export const resources = {
  ledger: ledger.arn,
  ledgerByOwner: $interpolate`${ledger.arn}/index/by_owner`,
  ledgerByLease: $interpolate`${ledger.arn}/index/by_lease`,
  uploads: $interpolate`${images.arn}/uploads/*`,
  outputs: $interpolate`${images.arn}/outputs/*`,
  requests: $interpolate`${images.arn}/requests/*`,
};
