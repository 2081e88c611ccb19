/** What the measured functions and the stand-in for DynamoDB both know. */
export const region = "us-east-1";
export const credentials = { accessKeyId: "ASIABENCH", secretAccessKey: "bench" };
export const apiKey = `tg-${"k".repeat(43)}`;
export const owner = "acme";
export const resultId = `res_${"0".repeat(26)}`;
