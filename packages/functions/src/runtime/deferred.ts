import type { EnqueueDeps } from "@tollgate/core/completion/enqueue";
import { now } from "./config.ts";
import { store, texts } from "./results.ts";
import { queueNamed } from "./sqs.ts";

export const deferDeps: EnqueueDeps = { store, requests: texts, queue: queueNamed("RequestDeferredQueue"), now };
