import { S3Client } from "@aws-sdk/client-s3";
import { createImageStore } from "@tollgate/core/s3/s3-images";
import { bucketName } from "./config.ts";
import { patiently } from "./patience.ts";

export const images = createImageStore(new S3Client({ requestHandler: patiently }), bucketName());
