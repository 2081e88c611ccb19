import type { DeferDeps } from "@tollgate/core/completion/defer";
import { now } from "./config.ts";
import { store, texts } from "./results.ts";
import { queueNamed } from "./sqs.ts";

export const deferDeps: DeferDeps = { store, requests: texts, queue: queueNamed("RequestDeferredQueue"), now };
