import { settings } from "./settings.ts";

type Permission = { actions: string[]; resources: unknown[] };

/** The stage's own key for its bucket. */
export const { BUCKET_KMS_KEY_ARN: bucketKey } = settings;

/**
 * What S3 does with the key in the name of a function that reads or writes objects. A function that signs a form writes, too.
 * Source: "Using server-side encryption with AWS KMS keys", S3 user guide, November 2026.
 */
export function keyPermissions(permissions: readonly Permission[]) {
  if (!bucketKey) return [];
  const used = new Set(permissions.flatMap(({ actions }) => actions));
  const actions = [
    ...(used.has("s3:GetObject") ? ["kms:Decrypt"] : []),
    ...(used.has("s3:PutObject") ? ["kms:GenerateDataKey"] : []),
  ];
  return actions.length > 0 ? [{ actions, resources: [bucketKey] }] : [];
}
