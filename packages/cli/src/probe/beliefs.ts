import { estimateImageTokens } from "@tollgate/core/image/tokens";
import { models as catalogue } from "@tollgate/core/model/catalogue";
import { daysLeft, type Effort, type Model, modelNamed } from "@tollgate/core/model/model";
import { checkStrictSchema } from "@tollgate/core/structured/strict";
import { type Answer, type Check, type OpenAIProbe, type Topic, Unreachable } from "./check.ts";
import { describe } from "./openai.ts";
import { picture } from "./picture.ts";
import { schemas } from "./schemas.ts";

/** What a prompt has at most, by what is asked; a picture's tokens come on top. In tokens. */
const promptTokens = { models: 0, parameters: 30, tools: 90, schemas: 200, images: 30, errors: 30 };
/** A reasoning model needs some to begin with. In tokens. */
const answerTokens = 16;

const taken = "taken";
const refused = "refused";
const hello = [{ role: "user", content: "Say hi" }];
const tool = { type: "function", function: { name: "look_up", parameters: { type: "object", properties: {} } } };

/**
 * Every belief that the product has about OpenAI and that a small request can test.
 * @param only model names; all of the catalogue when it is empty
 */
export function allChecks(now: Date, only: readonly string[] = []): Check[] {
  const chosen = catalogue.filter(({ name }) => only.length === 0 || only.includes(name));
  // Search models cost a fee by the call, and audio models answer no text.
  const asked = chosen.filter(
    (model) => isServed(model, now) && !model.takesAudio && pricesOf(model).perCallNanoUsd === 0,
  );
  const cheapest = asked.toSorted((a, b) => costOf(a, "schemas") - costOf(b, "schemas"))[0];
  return [
    ...chosen.map((model) => servedCheck(model, now)),
    ...asked.flatMap(parameterChecks),
    ...asked.flatMap(toolChecks),
    ...(cheapest ? [...schemaChecks(cheapest), ...errorChecks(cheapest, chosen, now)] : []),
    ...asked.flatMap(imageChecks),
  ];
}

/** Models that OpenAI serves and the catalogue does not have, among those whose names look like a chat model's. */
export async function unknownModels(openai: OpenAIProbe): Promise<string[]> {
  const special = /audio|realtime|transcribe|tts|image|instruct|codex|deep-research|-pro\b|cyber/;
  const ids = [...(await servedModels(openai)).keys()];
  return ids.filter((id) => /^(?:gpt-\d|o\d)/.test(id) && !special.test(id) && modelNamed(id) === null);
}

const isServed = (model: Model, now: Date) => (daysLeft(model, now) ?? 1) > 0;

function servedCheck(model: Model, now: Date): Check {
  const belief = !isServed(model, now)
    ? "not served"
    : model.ends
      ? `served until ${model.ends.on}`
      : "served, no end known";
  return {
    topic: "models",
    question: model.name,
    belief,
    maxCostNanoUsd: 0,
    async ask(openai) {
      const served = await servedModels(openai);
      if (!served.has(model.name)) return "not served";
      const end = served.get(model.name);
      if (end === undefined) return "served, end not told";
      return end === null ? "served, no end known" : `served until ${end}`;
    },
    agrees: (reality) => reality === belief || (reality === "served, end not told" && isServed(model, now)),
  };
}

/** Each model that is served, with its end: null for none, undefined where the server does not tell. */
async function servedModels(openai: OpenAIProbe): Promise<Map<string, string | null | undefined>> {
  const answer = await openai.get("/models");
  if (answer.status !== 200) throw new Unreachable(`OpenAI answered ${describe(answer)}`);
  const list: unknown[] = Object(answer.body).data ?? [];
  return new Map(
    list.map((entry) => {
      const { id, shutdown_date } = Object(entry);
      return [String(id), typeof shutdown_date === "string" ? shutdown_date.slice(0, 10) : shutdown_date];
    }),
  );
}

function parameterChecks(model: Model): Check[] {
  const withDefault =
    model.temperature === "always" || (model.temperature === "effort none" && model.defaultEffort === "none");
  return [
    accepted(model, "parameters", "max_tokens", model.takesMaxTokens, {
      max_completion_tokens: undefined,
      max_tokens: answerTokens,
    }),
    accepted(model, "parameters", "temperature 0.5", withDefault, { temperature: 0.5 }),
    ...(model.efforts.includes("none")
      ? [
          accepted(model, "parameters", "temperature 0.5 with effort none", model.temperature !== "never", {
            temperature: 0.5,
            reasoning_effort: "none",
          }),
        ]
      : []),
  ];
}

function toolChecks(model: Model): Check[] {
  const { chatTools, efforts } = model;
  const tried: (Effort | undefined)[] = [
    undefined,
    ...(["none", "low"] as const).filter((effort) => efforts.includes(effort)),
  ];
  return tried.map((effort) => {
    const isTaken =
      chatTools === "always" ||
      (chatTools === "effort none" && effort === "none") ||
      (chatTools === "no effort" && (effort === undefined || effort === "none"));
    const question = `a function tool with ${effort ? `effort ${effort}` : "no effort"}`;
    return accepted(model, "tools", question, isTaken, { tools: [tool], reasoning_effort: effort });
  });
}

/** A request of the model's that is either answered or refused with 400. */
function accepted(model: Model, topic: Topic, what: string, isTaken: boolean, parameters: object): Check {
  return {
    topic,
    question: `${model.name}: ${what}`,
    belief: isTaken ? taken : refused,
    maxCostNanoUsd: costOf(model, topic),
    ask: async (openai) =>
      verdictOf(
        await openai.complete({
          model: model.name,
          messages: hello,
          max_completion_tokens: answerTokens,
          ...parameters,
        }),
      ),
    agrees: (reality) => (reality === taken) === isTaken,
  };
}

/** @throws Unreachable for an answer that tells nothing of the parameters */
function verdictOf(answer: Answer): string {
  // A reasoning model whose whole answer went to its thoughts took the request all the same.
  if (answer.status === 200 || isUnfinished(answer)) return taken;
  if (answer.status !== 400) throw new Unreachable(`OpenAI answered ${describe(answer)}`);
  return `${refused}: ${describe(answer)}`;
}

const isUnfinished = ({ status, body }: Answer) =>
  status === 400 && /could not finish the message/i.test(String(Object(Object(body).error).message));

function schemaChecks(model: Model): Check[] {
  return Object.entries(schemas).map(([name, schema]) => {
    const format = { type: "json_schema", json_schema: { name: "probe", strict: true, schema } };
    const isTaken = checkStrictSchema(schema).length === 0;
    return accepted(model, "schemas", name, isTaken, { ...leastEffort(model), response_format: format });
  });
}

/**
 * Small ones: 64 pixels tell base and rounding, 600 × 300 tell tiles, 300 × 200 tell patches. What a model that counts patches makes of
 * `low`, the product does not believe to know: it reserves as for `high`.
 */
const pictures = [
  { width: 64, height: 64, detail: "auto", kinds: ["tiles", "patches"] },
  { width: 600, height: 300, detail: "low", kinds: ["tiles"] },
  { width: 600, height: 300, detail: "high", kinds: ["tiles"] },
  { width: 300, height: 200, detail: "high", kinds: ["patches"] },
] as const;

function imageChecks(model: Model): Check[] {
  return pictures.flatMap(({ width, height, detail, kinds }) => {
    const tokens = estimateImageTokens(model.name, width, height, detail);
    if (tokens === null || !kinds.some((kind) => kind === model.images?.kind)) return [];
    const ask = async (openai: OpenAIProbe, content: unknown) => {
      const messages = [{ role: "user", content }];
      const answer = await openai.complete({
        model: model.name,
        messages,
        max_completion_tokens: answerTokens,
        ...leastEffort(model),
      });
      const prompt: unknown = Object(Object(answer.body).usage).prompt_tokens;
      if (typeof prompt !== "number") throw new Unreachable(`OpenAI answered ${describe(answer)} and told no usage`);
      return prompt;
    };
    const text = { type: "text", text: "Look" };
    const image = { type: "image_url", image_url: { url: picture(width, height), detail } };
    return [
      {
        topic: "images" as const,
        question: `${model.name}: ${width} × ${height} at ${detail}`,
        belief: `${tokens} tokens`,
        // With and without the picture.
        maxCostNanoUsd: Math.ceil(
          2 * costOf(model, "images") + pricesOf(model).inputNanoUsd * cacheWriteFactor * tokens,
        ),
        ask: async (openai: OpenAIProbe) =>
          `${(await ask(openai, [text, image])) - (await ask(openai, [text]))} tokens`,
        // The picture's own frame is some tokens, too.
        agrees: (reality: string) => Math.abs(Number.parseInt(reality, 10) - tokens) <= Math.max(8, tokens * 0.02),
      },
    ];
  });
}

/** Errors that the product tells apart by their status and code (`packages/core/src/openai/error.ts`). */
function errorChecks(model: Model, chosen: readonly Model[], now: Date): Check[] {
  const check = (question: string, belief: string, body: object, options?: { key: string }): Check => ({
    topic: "errors",
    question,
    belief,
    maxCostNanoUsd: costOf(model, "errors"),
    ask: async (openai) => {
      const request = { model: model.name, messages: hello, max_completion_tokens: answerTokens, ...body };
      const answer = await openai.complete(request, options);
      const { code } = Object(Object(answer.body).error);
      return belief.includes(" ") ? `${answer.status} ${code}` : String(answer.status);
    },
  });
  const ended = chosen.find((candidate) => !isServed(candidate, now));
  return [
    check("a model that never was", "404 model_not_found", { model: "gpt-0-none" }),
    ...(ended ? [check(`a model that has ended, ${ended.name}`, "404 model_not_found", { model: ended.name })] : []),
    check("a wrong key", "401 invalid_api_key", {}, { key: "sk-not-a-key" }),
    check("no messages", "400", { messages: [] }),
    check("JSON mode without the word JSON", "400", { response_format: { type: "json_object" } }),
    check("metadata without store", "400", { metadata: { a: "b" } }),
    check("an answer beyond the model's limit", "400", { max_completion_tokens: model.maxOutputTokens + 1 }),
    check("an unknown parameter", "400", { not_a_parameter: 1 }),
  ];
}

function leastEffort({ efforts }: Model) {
  if (efforts.length === 0) return {};
  return { reasoning_effort: efforts.includes("none") ? "none" : efforts[0] };
}

const pricesOf = ({ name, prices }: Model) => {
  const last = prices.at(-1);
  if (!last) throw new Error(`${name} has no price in the catalogue`);
  return last;
};

/** Writing to the prompt cache costs more than other input. */
const cacheWriteFactor = 1.25;

/** The most that one small request costs, without pictures. */
function costOf(model: Model, topic: Topic): number {
  const { inputNanoUsd, outputNanoUsd } = pricesOf(model);
  return Math.ceil(inputNanoUsd * cacheWriteFactor * promptTokens[topic] + outputNanoUsd * answerTokens);
}
