import * as z from "zod";
import { S3Error, s3Errors } from "./error.ts";

const condition = z.union([
  z.tuple([z.literal("content-length-range"), z.coerce.number(), z.coerce.number()]),
  z.tuple([z.enum(["eq", "starts-with"]), z.templateLiteral(["$", z.string()]), z.string()]),
  z.record(z.string(), z.string()),
]);
const postPolicy = z.object({ expiration: z.iso.datetime(), conditions: z.array(condition) });

/** How many bytes the file may have. */
export interface SizeRange {
  minBytes: number;
  maxBytes: number;
}

/** A single upload's limit. Source: S3 user guide, November 2026. */
const maxPostBytes = 5 * 1024 ** 3;

/** Fields that need no condition, besides those that begin with x-ignore-. Source: "POST policy", S3 API reference, 2026. */
const uncovered = new Set(["x-amz-signature", "file", "policy"]);

/**
 * Holds a form's fields, by names in lower case, against its policy: not expired, every condition fulfilled, and no field
 * without a condition. Returns the size that the file may have. Throws S3Error.
 */
export function checkPolicy(encodedPolicy: string, fields: Record<string, string>, now: Date): SizeRange {
  const policy = decodePolicy(encodedPolicy);
  if (now.getTime() >= Date.parse(policy.expiration)) throw refused("Policy expired.");
  const covered = new Set(uncovered);
  const size: SizeRange = { minBytes: 0, maxBytes: maxPostBytes };
  for (const each of policy.conditions) {
    if (Array.isArray(each) && each[0] === "content-length-range") {
      size.minBytes = Math.max(size.minBytes, each[1]);
      size.maxBytes = Math.min(size.maxBytes, each[2]);
      continue;
    }
    const comparisons = Array.isArray(each)
      ? [{ operator: each[0], field: each[1].slice(1), wanted: each[2] }]
      : Object.entries(each).map(([field, wanted]) => ({ operator: "eq", field, wanted }));
    for (const { operator, field, wanted } of comparisons) {
      const name = field.toLowerCase();
      const value = fields[name];
      covered.add(name);
      const fulfilled =
        operator === "eq" ? value === wanted : value !== undefined ? value.startsWith(wanted) : wanted === "";
      if (!fulfilled) throw refused(`Policy Condition failed: ["${operator}", "$${field}", ${JSON.stringify(wanted)}]`);
    }
  }
  const extra = Object.keys(fields).filter((name) => !covered.has(name) && !name.startsWith("x-ignore-"));
  // The bucket is no field of most forms: it stands in the URL.
  const unexpected = extra.filter((name) => name !== "bucket");
  if (unexpected.length > 0) throw refused(`Extra input fields: ${unexpected.join(", ")}`);
  return size;
}

function decodePolicy(encoded: string): z.infer<typeof postPolicy> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(encoded, "base64").toString());
  } catch {
    value = null;
  }
  const policy = postPolicy.safeParse(value);
  if (policy.success) return policy.data;
  const where = policy.error.issues[0]?.path.join(".");
  throw new S3Error(
    400,
    "InvalidPolicyDocument",
    `Invalid Policy: Invalid JSON or condition${where ? ` at ${where}` : ""}.`,
  );
}

function refused(reason: string): S3Error {
  return s3Errors.accessDenied(`Invalid according to Policy: ${reason}`);
}
