import { keyPermissions } from "./encryption.ts";
import type { openaiApiKey } from "./secret.ts";
import type { images, ledger } from "./storage.ts";

interface FunctionProps {
  /** File in packages/functions/src; its export is `handler`. */
  file: string;
  limits: { functionTimeoutMs: number; memoryMb: number };
  /** Exactly the actions that the function calls, on exactly the resources that it calls them on, and of a table the items. */
  permissions?: {
    actions: string[];
    resources: $util.Input<string>[];
    conditions?: { test: string; variable: string; values: string[] }[];
  }[];
  link?: (typeof images | typeof ledger | typeof openaiApiKey | sst.aws.Queue)[];
  environment?: Record<string, string>;
  /** Packages that lie beside the bundle, in the versions of packages/functions/package.json. */
  install?: string[];
  /** Whether API Gateway streams its response. */
  streaming?: boolean;
}

const trustLambda = aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" });

/**
 * Where AWS's clients look for credentials on a laptop or a virtual machine. Lambda gives a function its own in the environment,
 * which is looked at first. Bundled, they would be as much code as the rest of a small function, and share enough with it to have
 * it cut into three times as many files.
 */
const otherCredentials = [
  "@aws-sdk/credential-provider-http",
  "@aws-sdk/credential-provider-ini",
  "@aws-sdk/credential-provider-process",
  "@aws-sdk/credential-provider-sso",
  "@aws-sdk/credential-provider-web-identity",
  "@smithy/credential-provider-imds",
];

/** Every function of the app is made here, so that none has a default of SST's: 20 s, x86, kept wildcard links. */
export function createFunction(
  name: string,
  { file, limits, install = [], permissions = [], ...props }: FunctionProps,
) {
  return new sst.aws.Function(name, {
    handler: `packages/functions/src/${file}.handler`,
    runtime: "nodejs24.x",
    architecture: "arm64",
    timeout: `${limits.functionTimeoutMs / 1000} seconds`,
    memory: `${limits.memoryMb} MB`,
    // In pieces: what is imported at its first use is read then, and not at every cold start. Without maps, since SST would
    // upload each piece's for its console. With `nodejs.sourcemap: false` SST 4.17 puts them into the function's package.
    // Without functions' own names, which take a call for each that is made: a tenth of a warm chat (docs/performance.md).
    nodejs: {
      minify: true,
      splitting: true,
      esbuild: { sourcemap: false, keepNames: false, external: otherCredentials },
      ...(install.length > 0 && { install }),
    },
    logging: { retention: "1 month", format: "json" },
    // SST 4.17 lets the whole account take the role, which only `sst dev` needs.
    transform: $dev ? {} : { role: { assumeRolePolicy: trustLambda } },
    permissions: [...permissions, ...keyPermissions(permissions)],
    ...props,
  });
}
