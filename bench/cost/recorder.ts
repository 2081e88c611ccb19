import type { ServiceCall } from "@tollgate/local/aws/fault";
import type { Meter } from "@tollgate/local/meter";
import type { createCapacity } from "./capacity.ts";

/** What AWS bills a request for. */
export const components = [
  "gatewayRequests",
  "lambdaRequests",
  "gbSeconds",
  "writeUnits",
  "readUnits",
  "s3Puts",
  "s3Gets",
  "sqsRequests",
  "logBytes",
  "outBytes",
] as const;
export type Use = Record<(typeof components)[number], number>;

export const noUse = (): Use => Object.fromEntries(components.map((name) => [name, 0])) as Use;
export const plus = (a: Use, b: Partial<Use>): Use =>
  Object.fromEntries(components.map((name) => [name, a[name] + (b[name] ?? 0)])) as Use;

/**
 * What is logged on AWS and not here, in bytes: Lambda's own two records of an invocation as JSON, `platform.start` and
 * `platform.report`, and API Gateway's access log line as SST formats it. Both written out by hand with typical values.
 */
const platformLogBytes = 390;
export const accessLogBytes = 560;

interface Invocation {
  function: string;
  seconds: number;
  /** Of a new environment; null of a warm one. */
  initSeconds: number | null;
  memoryGb: number;
}

interface RecorderOptions {
  /** Functions that a queue sets to work. */
  behindQueues: ReadonlySet<string>;
  unitsOf: ReturnType<typeof createCapacity>;
}

/** Notes what the stage does, by the function on whose behalf. */
export function createRecorder({ behindQueues, unitsOf }: RecorderOptions) {
  const uses: { principal: string; use: Partial<Use> }[] = [];
  const invocations: Invocation[] = [];
  const batches = new Map<string, number>();

  const note = (principal: string, use: Partial<Use>) => void uses.push({ principal, use });
  const meter: Meter = {
    async answered(call, input, answer) {
      const { service, principal, operation } = call;
      if (service === "dynamodb") {
        const { write, read } = await unitsOf(operation, input, answer);
        // The admin's are no client's: they are of whoever measures.
        if (principal !== "admin") note(principal, { writeUnits: write, readUnits: read });
      } else if (service === "s3") note(principal, s3Use(call));
      // A poll that receives nothing belongs to no request.
      else if (!isEmptyReceive(call, answer)) note(principal, { sqsRequests: 1 });
      if (operation === "DeleteMessageBatch") batches.set(principal, (batches.get(principal) ?? 0) + 1);
    },
    reported(functionName, line) {
      const invocation = invocationOf(functionName, line);
      invocations.push(invocation);
      const gbSeconds = invocation.seconds * invocation.memoryGb;
      note(functionName, { lambdaRequests: 1, gbSeconds, logBytes: platformLogBytes });
    },
  };
  return {
    meter,
    note,
    /** A line that a function printed. */
    log: (functionName: string, line: string) => note(functionName, { logBytes: Buffer.byteLength(line) }),
    invocations: (functionName: string) => invocations.filter((one) => one.function === functionName),
    /** How often a function has come to an end of its work: was invoked or, behind a queue, took a batch off it. */
    ended: (functionName: string) =>
      behindQueues.has(functionName)
        ? (batches.get(functionName) ?? 0)
        : invocations.filter((one) => one.function === functionName).length,
    /** Where `usedSince` may begin. */
    mark: () => uses.length,
    /** What was used on behalf of these. */
    usedSince: (mark: number, principals: readonly string[]): Use =>
      uses
        .slice(mark)
        .filter(({ principal }) => principals.includes(principal))
        .reduce((total, { use }) => plus(total, use), noUse()),
  };
}

const s3Use = ({ operation }: ServiceCall): Partial<Use> => {
  if (/^(delete|abort)/.test(operation)) return {};
  return /^(get|head)/.test(operation) ? { s3Gets: 1 } : { s3Puts: 1 };
};

const isEmptyReceive = ({ operation }: ServiceCall, answer: unknown): boolean =>
  operation === "ReceiveMessage" && !(answer as { Messages?: unknown[] }).Messages?.length;

function invocationOf(functionName: string, line: string): Invocation {
  const field = (name: string) => {
    const value = new RegExp(`\\t${name}: ([\\d.]+)`).exec(line)?.[1];
    return value === undefined ? null : Number(value);
  };
  const initMs = field("Init Duration");
  return {
    function: functionName,
    seconds: Math.ceil(field("Duration") ?? 0) / 1000,
    initSeconds: initMs === null ? null : initMs / 1000,
    memoryGb: (field("Memory Size") ?? 0) / 1024,
  };
}
