import sharp from "sharp";
import { afterEach, describe, expect, it } from "vitest";
import { MODELS } from "../../../packages/local/src/openai/models.ts";
import { dataUrl, saying, showing, simulate, wire } from "./simulation.ts";

const openai = await simulate({ clock: () => new Date("2026-11-28T12:00:00Z") });

afterEach(async () => {
  await openai.control("DELETE", "clock");
  await openai.control("DELETE", "faults");
});

async function answered(body: unknown) {
  const response = await openai.post(body);
  return { status: response.status, ...(await wire(response)).error };
}

const tools = [{ type: "function", function: { name: "lookup", parameters: { type: "object", properties: {} } } }];

describe("a model's end", () => {
  it.each(["o1", "o3-mini", "o4-mini-2025-04-16", "gpt-4.1-nano", "gpt-4o-2024-05-13", "gpt-4-turbo"])(
    "is over for %s: 404 model_not_found, as OpenAI says of a retired model",
    async (model) => {
      expect(await answered(saying("hi", { model }))).toMatchObject({
        status: 404,
        code: "model_not_found",
        message: `The model \`${model}\` has been deprecated, learn more here: https://platform.openai.com/docs/deprecations`,
      });
      await expect(openai.client.models.retrieve(model)).rejects.toMatchObject({ status: 404 });
    },
  );

  it("comes on its day, for the list of models and for requests", async () => {
    const listed = async () => (await openai.client.models.list()).data.map(({ id }) => id);
    expect(await listed()).toEqual(expect.arrayContaining(["gpt-4o-mini", "gpt-6.1-terra", "gpt-5.6"]));
    expect(await listed()).not.toContain("o1");
    await openai.control("POST", "clock", { now: "2027-01-13T23:59:59Z" });
    expect((await answered(saying("hi"))).status).toBe(200);
    await openai.control("POST", "clock", { now: "2027-01-14T00:00:00Z" });
    expect((await answered(saying("hi"))).status).toBe(404);
    expect(await listed()).not.toContain("gpt-4o-mini");
    expect(await listed()).toContain("gpt-6-luna");
  });

  it("is announced in the list of models as the client's types have it", async () => {
    const { data } = await openai.client.models.list();
    const endOf = (id: string) => data.find((model) => model.id === id)?.shutdown_date;
    expect([endOf("gpt-4o-2024-11-20"), endOf("o3"), endOf("gpt-6-luna")]).toEqual(["2027-01-14", "2026-12-11", null]);
  });

  it("refuses a clock that tells no time", async () => {
    expect((await openai.control("POST", "clock", { now: "tomorrow" })).status).toBe(400);
  });
});

describe("a model's limits", () => {
  it("refuse a prompt beyond the context with context_length_exceeded, and bill nothing", async () => {
    const before = (await openai.control("GET", "billed")).body;
    const error = await answered(saying("word ".repeat(130_000)));
    expect(error).toMatchObject({ status: 400, code: "context_length_exceeded", param: "messages" });
    expect(error.message).toMatch(/maximum context length is 128000 tokens.*your messages resulted in 13\d{4} tokens/);
    expect((await openai.control("GET", "billed")).body).toEqual(before);
  });

  it("of gpt-5 and later are limits of the input", async () => {
    const error = await answered(saying("word ".repeat(275_000), { model: "gpt-5.4-mini" }));
    expect(error).toMatchObject({ status: 400, code: "context_length_exceeded" });
    expect(error.message).toMatch(/Input tokens exceed the configured limit of 272000 tokens/);
  });

  it("count the answer that is asked for, too", async () => {
    const error = await answered(saying("word ".repeat(115_000), { max_tokens: 16_000 }));
    expect(error.message).toMatch(/you requested 13\d{4} tokens \(11\d{4} in the messages, 16000 in the completion\)/);
  });

  it.each([
    ["gpt-4o-mini", { max_tokens: 16_385 }, 16_384],
    ["gpt-4.1", { max_completion_tokens: 40_000 }, 32_768],
    ["gpt-6-luna", { max_completion_tokens: 128_001 }, 128_000],
  ])("refuse a longer answer than %s gives", async (model, limit, most) => {
    const [[name]] = Object.entries(limit) as [[string, number]];
    expect(await answered(saying("hi", { model, ...limit }))).toMatchObject({
      status: 400,
      param: name,
      message: expect.stringContaining(`supports at most ${most} completion tokens`),
    });
  });

  it("refuse a picture of more than 30,000 patches at original on gpt-5.6 and later, and show it at high", async () => {
    const create = { width: 6048, height: 6048, channels: 3 as const, background: "#fff" };
    const png = await sharp({ create }).png().toBuffer();
    const url = dataUrl(png, "image/png");
    for (const detail of ["original", "auto", undefined])
      expect(await answered(showing(url, { model: "gpt-5.6-luna" }, detail))).toMatchObject({
        status: 400,
        code: "invalid_value",
        message: expect.stringContaining("requires 35721 patches after processing, exceeding the limit of 30000"),
      });
    expect((await answered(showing(url, { model: "gpt-5.6-luna" }, "high"))).status).toBe(200);
    expect((await answered(showing(url, { model: "gpt-5.4" }, "original"))).status).toBe(200);
  });

  it("hold no pictures and no files for o3-mini", async () => {
    await openai.control("POST", "clock", { now: "2026-10-01" });
    expect(await answered(showing("data:image/png;base64,AAAA", { model: "o3-mini" }))).toMatchObject({ status: 400 });
    expect(await answered(reading(pdf, { model: "o3-mini" }))).toMatchObject({ status: 400 });
  });
});

describe("function tools on Chat Completions", () => {
  it.each<[string, string | undefined, number]>([
    ["gpt-4o", undefined, 200],
    ["gpt-5.2", "low", 200],
    ["gpt-5.4", undefined, 200],
    ["gpt-5.4", "none", 200],
    ["gpt-5.4", "low", 400],
    ["gpt-5.5", undefined, 200],
    ["gpt-5.5", "medium", 400],
    ...["gpt-5.6", "gpt-5.6-luna", "gpt-6-sol", "gpt-6-luna", "gpt-6.1-terra"].flatMap(
      (model): [string, string | undefined, number][] => [
        [model, undefined, 400],
        [model, "low", 400],
        [model, "none", 200],
      ],
    ),
    // These have no effort none, so that nothing lets tools through.
    ...["gpt-6-astra", "gpt-6.1-sol"].flatMap((model): [string, string | undefined, number][] => [
      [model, undefined, 400],
      [model, "low", 400],
      [model, "none", 400],
    ]),
  ])("of %s with the effort %s are answered with %i", async (model, reasoning_effort, status) => {
    const error = await answered(saying("hi", { model, tools, reasoning_effort }));
    expect(error.status).toBe(status);
    if (status === 400) expect(error.param).toBe("reasoning_effort");
  });

  it("are refused in OpenAI's words, and custom tools are not", async () => {
    expect((await answered(saying("hi", { model: "gpt-6-luna", tools }))).message).toBe(
      "Function tools with reasoning_effort are not supported for gpt-6-luna in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.",
    );
    const custom = [{ type: "custom", custom: { name: "run" } }];
    expect((await answered(saying("hi", { model: "gpt-6-luna", tools: custom }))).status).toBe(200);
  });

  it("every model has a row that says when it takes them", () => {
    for (const { efforts, defaultEffort } of MODELS) expect(efforts.length === 0).toBe(defaultEffort === null);
  });
});

describe("web search", () => {
  it("is for search models only, which refuse sampling", async () => {
    const search = { web_search_options: { search_context_size: "low" } };
    expect(await answered(saying("hi", search))).toMatchObject({ status: 400, param: "web_search_options" });
    expect((await answered(saying("hi", { ...search, model: "gpt-5-search-api" }))).status).toBe(200);
    expect(await answered(saying("hi", { model: "gpt-5-search-api", temperature: 0.5, top_p: 1 }))).toMatchObject({
      status: 400,
      message: "Model incompatible request arguments supplied: temperature, top_p",
    });
    const wrong = { model: "gpt-5-search-api", web_search_options: { user_location: { type: "exact" } } };
    expect(await answered(saying("hi", wrong))).toMatchObject({ param: "web_search_options.user_location.type" });
  });
});

const pdf = `data:application/pdf;base64,${Buffer.from("%PDF-1.4\n1 0 obj<</Type /Pages/Kids[2 0 R 3 0 R]>>endobj 2 0 obj<</Type /Page>>endobj 3 0 obj<</Type/Page>>endobj").toString("base64")}`;
function reading(file_data: string | undefined, changes: object = {}, file: object = {}) {
  const part = { type: "file", file: { file_data, filename: "a.pdf", ...file } };
  return { model: "gpt-4o", messages: [{ role: "user", content: [{ type: "text", text: "Read" }, part] }], ...changes };
}

describe("a file", () => {
  it("counts each page of a PDF as a picture", async () => {
    const tokens = async (body: unknown) => (await wire(await openai.post(body))).usage.prompt_tokens;
    const text = await tokens({ model: "gpt-4o", messages: [{ role: "user", content: "Read" }] });
    expect((await tokens(reading(pdf))) - text).toBe(2 * (85 + 4 * 170));
  });

  it.each<[string, string | undefined, object, object]>([
    ["an id of no file", undefined, { file_id: "file-nope" }, { status: 404 }],
    ["neither data nor an id", undefined, {}, { status: 400, code: "missing_required_parameter" }],
    ["a text", "data:text/plain;base64,aGk=", {}, { message: expect.stringContaining("MIME type 'text/plain'") }],
    ["a URL", "https://example.com/a.pdf", {}, { message: expect.stringContaining("invalid base64-encoded value") }],
    ["a PDF that is none", "data:application/pdf;base64,aGVsbG8=", {}, { status: 400 }],
  ])("is refused when it is %s", async (_, data, file, error) => {
    expect(await answered(reading(data, {}, file))).toMatchObject(error);
  });
});

describe("moderation", () => {
  const moderation = { model: "omni-moderation-latest" };

  it("stands in the answer, for the input and each choice, and in a stream's own chunk", async () => {
    const { moderation: judged } = (await (await openai.post(saying("hi", { n: 2, moderation }))).json()) as {
      moderation: { input: { results: object[] }; output: { results: { flagged: boolean }[] } };
    };
    expect([judged.input.results.length, judged.output.results.length]).toEqual([1, 2]);
    expect(judged.output.results[0]?.flagged).toBe(false);
    const stream = await (await openai.post(saying("hi", { stream: true, moderation }))).text();
    expect(stream.match(/"moderation":/g)).toHaveLength(1);
    expect(await (await openai.post(saying("hi"))).json()).not.toHaveProperty("moderation");
  });

  it("is refused without a model", async () => {
    expect(await answered(saying("hi", { moderation: {} }))).toMatchObject({ param: "moderation.model" });
  });
});

describe("metadata", () => {
  it("is refused unless the answer is stored", async () => {
    const refusal = {
      status: 400,
      param: "metadata",
      message: "The 'metadata' parameter is only allowed when 'store' is enabled.",
    };
    expect(await answered(saying("hi", { metadata: { a: "b" } }))).toMatchObject(refusal);
    expect(await answered(saying("hi", { metadata: { a: "b" }, store: false }))).toMatchObject(refusal);
    expect((await answered(saying("hi", { metadata: { a: "b" }, store: true }))).status).toBe(200);
    expect((await answered(saying("hi", { metadata: null }))).status).toBe(200);
  });
});

describe("a model that the project may not use", () => {
  it("is answered with 403 model_not_found, by a fault", async () => {
    expect(await answered(saying("[[fault:403 code=model_not_found]]"))).toMatchObject({
      status: 403,
      code: "model_not_found",
      message: expect.stringContaining("does not have access to model `gpt-4o-mini`"),
    });
  });
});
