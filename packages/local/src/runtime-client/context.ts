import type { IncomingHttpHeaders } from "node:http";

/** The context object of one invocation, from the headers that came with it and the environment's variables. */
export function createContext(headers: IncomingHttpHeaders, env: NodeJS.ProcessEnv) {
  const deadlineMs = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    awsRequestId: String(headers["lambda-runtime-aws-request-id"]),
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    xRayTraceId: String(headers["lambda-runtime-trace-id"]),
    // Of mobile clients, Cognito and tenants, none of which there are here.
    clientContext: undefined,
    identity: undefined,
    tenantId: undefined,
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  };
}

export type Context = ReturnType<typeof createContext>;
