import { modelNamed } from "../model/model.ts";

/** The parameters that decide it. */
interface Parameters {
  reasoning_effort?: string | null | undefined;
  tools?: readonly { type: string }[] | null | undefined;
  functions?: readonly unknown[] | null | undefined;
  temperature?: number | null | undefined;
  top_p?: number | null | undefined;
}

/**
 * The `reasoning_effort` to send for a request that names none; undefined leaves it to the model. From gpt-5.6 on a model reasons
 * unless told not to, and while it reasons it refuses function tools on Chat Completions, and a `temperature` or `top_p` other
 * than 1. A request that has one of these can only be meant without reasoning. Sources: those of the catalogue.
 */
export function effortFor(name: string, request: Parameters): "none" | undefined {
  const model = modelNamed(name)?.model;
  if (!model || request.reasoning_effort != null || !model.efforts.includes("none")) return undefined;
  if (model.defaultEffort === "none") return undefined;
  const hasFunctionTools = request.tools?.some(({ type }) => type === "function") || Boolean(request.functions?.length);
  const isSampled = [request.temperature, request.top_p].some((value) => value != null && value !== 1);
  const isRefused =
    (hasFunctionTools && model.chatTools === "effort none") || (isSampled && model.temperature === "effort none");
  return isRefused ? "none" : undefined;
}
