import { S3Client } from "@aws-sdk/client-s3";
import { createImageStore } from "@tollgate/core/upload/s3-images";
import { bucketName } from "./config.ts";

export const images = createImageStore(new S3Client(), bucketName());
