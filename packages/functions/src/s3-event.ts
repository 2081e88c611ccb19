import type { CreatedObject } from "@tollgate/core/upload/analyse";
import * as z from "zod";

const s3Event = z.object({
  Records: z.array(
    z.object({
      eventName: z.string(),
      s3: z.object({
        bucket: z.object({ name: z.string() }),
        object: z.object({
          key: z.string(),
          size: z.int().default(0),
          eTag: z.string().optional(),
          sequencer: z.string(),
        }),
      }),
    }),
  ),
});

/** What S3 sends once when a notification is set up. */
const testEvent = z.object({ Event: z.literal("s3:TestEvent") });

/** The objects that a notification tells of; none in S3's test event. Throws on anything that S3 does not send. */
export function createdObjects(body: string): CreatedObject[] {
  const event: unknown = JSON.parse(body);
  if (testEvent.safeParse(event).success) return [];
  return s3Event.parse(event).Records.flatMap(({ eventName, s3: { bucket, object } }) =>
    eventName.startsWith("ObjectCreated:")
      ? [
          {
            bucket: bucket.name,
            key: decodeURIComponent(object.key.replaceAll("+", " ")),
            sizeBytes: object.size,
            etag: object.eTag,
            sequencer: object.sequencer,
          },
        ]
      : [],
  );
}
