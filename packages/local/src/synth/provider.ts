import type { Resource } from "./graph.ts";
import { type Document, policyJson } from "./policy.ts";

/** An account of AWS's form that nobody has. */
export const account = "000000000000";

type Properties = Record<string, unknown>;
type Registration = Pick<Resource, "type" | "name" | "inputs">;

/**
 * Answers like the AWS provider once it has made a resource: inputs, and what AWS would add to them. The random suffix that
 * SST gives a physical name is left off, so that the same configuration has the same names.
 */
export function register(
  { inputs: given, ...registered }: Registration,
  { prefix, region }: { prefix: string; region: string },
): Omit<Resource, "protect"> & { id: string } {
  const { type, name } = namesOf(registered);
  const inputs = withoutSuffix(unwrap(given) as Properties, prefix);
  const made = added(type, { ...inputs, logicalName: name }, region);
  return { type, name, inputs, id: name, state: { ...inputs, ...made } };
}

/** A resource that the CLI makes by itself has its kind in its name: `ApiAZoneLookup.sst.aws.HostedZoneLookup`. */
function namesOf({ type, name }: Pick<Registration, "type" | "name">): { type: string; name: string } {
  if (type !== "pulumi-nodejs:dynamic:Resource") return { type, name };
  const [own = name, ...kind] = name.split(".");
  return { type: kind.join(":"), name: own };
}

function added(type: string, { logicalName, ...inputs }: Properties, region: string): Properties {
  const name = inputs.name ?? logicalName;
  const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${account}:${resource}`;
  switch (type) {
    case "aws:dynamodb/table:Table":
      return { arn: arn("dynamodb", `table/${name}`) };
    case "aws:s3/bucket:Bucket":
      return { arn: `arn:aws:s3:::${inputs.bucket}`, bucketDomainName: `${inputs.bucket}.s3.amazonaws.com` };
    case "aws:sqs/queue:Queue":
      return { arn: arn("sqs", `${name}`), url: `https://sqs.${region}.amazonaws.com/${account}/${name}` };
    case "aws:lambda/function:Function": {
      const invoke = `arn:aws:apigateway:${region}:lambda:path`;
      const own = arn("lambda", `function:${name}`);
      return {
        arn: own,
        invokeArn: `${invoke}/2015-03-31/functions/${own}/invocations`,
        responseStreamingInvokeArn: `${invoke}/2021-11-15/functions/${own}/response-streaming-invocations`,
      };
    }
    case "aws:iam/role:Role":
      return { arn: `arn:aws:iam::${account}:role/${name}` };
    case "aws:sns/topic:Topic":
      return { arn: arn("sns", `${name}`) };
    case "aws:cloudwatch/logGroup:LogGroup":
      return { arn: arn("logs", `log-group:${name}`) };
    case "aws:apigateway/restApi:RestApi":
      return {
        rootResourceId: "root",
        executionArn: arn("execute-api", `${logicalName}`),
        arn: `arn:aws:apigateway:${region}::/restapis/${logicalName}`,
      };
    case "aws:acm/certificate:Certificate": {
      const record = { resourceRecordName: `_validation.${inputs.domainName}`, resourceRecordType: "CNAME" };
      return {
        arn: arn("acm", `certificate/${logicalName}`),
        domainValidationOptions: [{ ...record, resourceRecordValue: "_value.acm-validations.aws" }],
      };
    }
    case "aws:apigateway/domainName:DomainName":
      return { regionalDomainName: `d-local.execute-api.${region}.amazonaws.com`, regionalZoneId: "ZREGIONAL" };
    case "aws:apigateway/account:Account":
      // The account's log role is there already, so SST makes none.
      return { cloudwatchRoleArn: `arn:aws:iam::${account}:role/api-gateway-logs` };
    case "random:index/randomBytes:RandomBytes":
      return { base64: Buffer.alloc(32).toString("base64") };
    default:
      return {};
  }
}

/** Pulumi marks a secret by wrapping its value under this key (its wire protocol, sdk/nodejs/runtime/rpc.ts). */
const signature = "4dabf18193072939515e22adb298388d";

function unwrap(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrap);
  if (value === null || typeof value !== "object") return value;
  if (signature in value) return unwrap((value as Properties).value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrap(inner)]));
}

/** SST names things `<app>-<stage>-<name>-` and 8 random letters of its own alphabet (platform/src/components/naming.ts). */
const suffix = /-[abcdefhkmnorstuvwxz]{8}$/;

function withoutSuffix(inputs: Properties, prefix: string): Properties {
  const name = (value: unknown) =>
    typeof value === "string" && value.includes(prefix) ? value.replace(suffix, "") : value;
  return {
    ...inputs,
    ...("name" in inputs && { name: name(inputs.name) }),
    ...("bucket" in inputs && { bucket: name(inputs.bucket) }),
  };
}

/** Answers the provider's functions that SST calls; throws on one that is not known here. */
export function invoke(token: string, inputs: Properties, region: string): Properties {
  switch (token) {
    case "aws:index/getPartition:getPartition":
      return { partition: "aws", dnsSuffix: "amazonaws.com" };
    case "aws:index/getRegion:getRegion":
      return { id: region, name: region, region };
    case "aws:index/getCallerIdentity:getCallerIdentity":
      return { accountId: account };
    case "aws:iam/getPolicyDocument:getPolicyDocument":
      return { ...inputs, json: policyJson(inputs as Document) };
    default:
      throw new Error(`SST asks AWS for ${token}, which has no answer without an account.`);
  }
}
