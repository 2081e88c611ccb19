import { AppError } from "../error.ts";
import { parseExactly } from "../json/exact.ts";
import { isJsonObject } from "../json/object.ts";
import { isModelAllowed } from "../key/enforce-limits.ts";
import { modelNamed } from "../model/model.ts";
import type { Upstream } from "../openai/client.ts";
import { UpstreamFailure } from "../openai/retry.ts";

interface Caller {
  /** The models that the key may use; null when it may use all. */
  key: { models: readonly string[] | null };
  deadlineMs: number;
}

/** Answers `GET /v1/models`: the models that the key may use, as JSON text. */
export async function listModels(upstream: Upstream, { key, deadlineMs }: Caller): Promise<string> {
  return modelListFor(key.models, await textOf(upstream, null, deadlineMs));
}

/** Answers `GET /v1/models/{id}`. A model that the key may not use does not exist for it, and OpenAI is not asked. */
export async function readModel(upstream: Upstream, id: string, { key, deadlineMs }: Caller): Promise<string> {
  if (!isModelAllowed(key.models, id)) {
    // OpenAI's words for a model that a project may not use, as test/integration/openai has them.
    throw new AppError("model_not_found", `The model \`${id}\` does not exist or you do not have access to it.`, {
      param: "model",
    });
  }
  return modelWithEnd(await textOf(upstream, id, deadlineMs));
}

async function textOf(upstream: Upstream, id: string | null, deadlineMs: number): Promise<string> {
  try {
    return (await upstream.models(id, deadlineMs)).text;
  } catch (failure) {
    throw failure instanceof UpstreamFailure ? failure.error : failure;
  }
}

/**
 * OpenAI's list with each model's end, and without the models that are not among `allowed`. A list that needs no change stays to
 * the byte. A key with models gets only `object` and `data`, since other members may name the models that it may not use: llama.cpp's
 * `models`, or `last_id` of servers that page.
 */
export function modelListFor(allowed: readonly string[] | null, text: string): string {
  const list = parsed(text);
  if (!isJsonObject(list) || !Array.isArray(list.data)) {
    if (allowed === null) return text;
    throw new AppError("upstream_error", "OpenAI's list of models could not be read.");
  }
  const models: unknown[] = list.data;
  if (allowed === null) {
    const data = models.map(withEnd);
    return data.every((model, index) => model === models[index]) ? text : JSON.stringify({ ...list, data });
  }
  const own = models.filter(
    (model) => isJsonObject(model) && typeof model.id === "string" && isModelAllowed(allowed, model.id),
  );
  return JSON.stringify({ object: "list", data: own.map(withEnd) });
}

/** One model of OpenAI's with its end; to the byte when nothing is missing. */
export function modelWithEnd(text: string): string {
  const model = parsed(text);
  const whole = withEnd(model);
  return whole === model ? text : JSON.stringify(whole);
}

/**
 * The model with `shutdown_date`, which `Model` in resources/models.d.ts of openai 7.57.0 has, read on 2026-11-28. What the server
 * says itself counts, null too. A model that is not in the catalogue stays as it is.
 */
function withEnd(model: unknown): unknown {
  if (!isJsonObject(model) || typeof model.id !== "string" || Object.hasOwn(model, "shutdown_date")) return model;
  const known = modelNamed(model.id)?.model;
  return known ? { ...model, shutdown_date: known.ends?.on ?? null } : model;
}

/** Undefined when the text is no JSON. */
function parsed(text: string): unknown {
  try {
    return parseExactly(text);
  } catch {
    return undefined;
  }
}
