import { jitless } from "@tollgate/core/validation/jitless";
import * as z from "zod";

const milliseconds = z.coerce.number().int().positive();
const httpUrl = z.url({ protocol: /^https?$/, error: "Give a URL with http:// or https://." });

/** The environment that `infra/` gives to functions, and where each variable is needed. */
const environment = {
  DEFAULT_MODEL: z.string().min(1),
  OPENAI_BASE_URL: httpUrl.optional(),
  OPENAI_ATTEMPT_TIMEOUT_MS: milliseconds,
  OPENAI_BUDGET_MS: milliseconds,
  OPENAI_MAX_ATTEMPTS: z.coerce.number().int().min(1),
  SWEEP_HTTP_GRACE_MS: milliseconds,
  SWEEP_QUEUE_GRACE_MS: milliseconds,
  MAX_RECEIVE_COUNT: z.coerce.number().int().min(1),
  PRICES: z.string().optional(),
  SHRINK_IMAGES: z.enum(["true"]).optional(),
  RESULT_TTL_DAYS: z.coerce.number().int().positive().optional(),
  /** As AWS's clients read it, of which some function needs none. */
  AWS_ENDPOINT_URL_S3: httpUrl.optional(),
};

type Name = keyof typeof environment;
type Config<K extends Name> = { [N in K]: z.infer<(typeof environment)[N]> };

/** Reads the named variables, or throws one error that names every wrong one. */
export function parseConfig<K extends Name>(raw: Record<string, string | undefined>, names: readonly K[]): Config<K> {
  const shape = Object.fromEntries(names.map((name) => [name, environment[name]]));
  const parsed = z.object(shape).safeParse(raw, jitless);
  if (parsed.success) return parsed.data as Config<K>;
  const wrong = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new Error(`The function's environment is wrong. ${wrong.join("; ")}`);
}
