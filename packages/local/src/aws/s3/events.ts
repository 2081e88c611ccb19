import type { BucketSpec } from "../../manifest.ts";
import type { NewOutboxEntry, StoredObject } from "./store.ts";

export type ObjectCreated = "Put" | "Post" | "Copy" | "CompleteMultipartUpload";

export interface EventSource {
  region: string;
  account: string;
  /** Of the request that made the object. */
  requestId: string;
  sourceIp: string;
  /** AWS's id of who signed: `AWS:ACCESSKEYID`. */
  principalId: string;
}

/** S3's event notification, version 2.1, for each of the bucket's notifications that asks for it. */
export function objectCreatedEvents(
  bucket: BucketSpec,
  object: StoredObject,
  cause: ObjectCreated,
  source: EventSource,
  sequencer: string,
): NewOutboxEntry[] {
  return bucket.notifications
    .filter(
      ({ events, filterPrefix, filterSuffix }) =>
        events.some((event) => event === "s3:ObjectCreated:*" || event === `s3:ObjectCreated:${cause}`) &&
        object.key.startsWith(filterPrefix ?? "") &&
        object.key.endsWith(filterSuffix ?? ""),
    )
    .map(({ queue }) => {
      const record = {
        eventVersion: "2.1",
        eventSource: "aws:s3",
        awsRegion: source.region,
        eventTime: new Date(object.modifiedMs).toISOString(),
        eventName: `ObjectCreated:${cause}`,
        userIdentity: { principalId: source.principalId },
        requestParameters: { sourceIPAddress: source.sourceIp },
        responseElements: { "x-amz-request-id": source.requestId, "x-amz-id-2": source.requestId },
        s3: {
          s3SchemaVersion: "1.0",
          configurationId: `${bucket.name}-${queue}`,
          bucket: { name: bucket.name, ownerIdentity: { principalId: source.account }, arn: bucketArn(bucket.name) },
          object: { key: encodeEventKey(object.key), size: object.sizeBytes, eTag: object.etag, sequencer },
        },
      };
      return { queue, message: JSON.stringify({ Records: [record] }) };
    });
}

/** What S3 sends once when a notification is configured. */
export function testEvent(bucket: string, requestId: string, now: Date): string {
  return JSON.stringify({
    Service: "Amazon S3",
    Event: "s3:TestEvent",
    Time: now.toISOString(),
    Bucket: bucket,
    RequestId: requestId,
    HostId: requestId,
  });
}

export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}

/** Keys in events are form-encoded: a space is `+`, a slash stays. */
function encodeEventKey(key: string): string {
  return new URLSearchParams({ key }).toString().slice("key=".length).replaceAll("%2F", "/");
}
