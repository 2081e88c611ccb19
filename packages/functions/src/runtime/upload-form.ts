import { createFormSigner } from "@tollgate/core/s3/form";
import { bucketName, config } from "./config.ts";
import { dynamodb } from "./dynamodb.ts";

const { AWS_ENDPOINT_URL_S3 } = config("AWS_ENDPOINT_URL_S3");
const { region, credentials } = dynamodb.config;

/** With what DynamoDB's client knows of where and as whom the function runs. */
export const signForm = createFormSigner({ bucket: bucketName(), endpoint: AWS_ENDPOINT_URL_S3, region, credentials });
