import { S3Client } from "@aws-sdk/client-s3";
import { createImageStore } from "@tollgate/core/s3/s3-images";
import { bucketName } from "./config.ts";
import { longTimeouts } from "./timeouts.ts";

export const images = createImageStore(new S3Client({ requestHandler: longTimeouts }), bucketName());
