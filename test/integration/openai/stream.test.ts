import { describe, expect, it } from "vitest";
import { saying, simulate, wire } from "./simulation.ts";

const openai = await simulate();

async function eventsOf(body: unknown): Promise<string[]> {
  const response = await openai.post(body);
  expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
  return (await response.text())
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => event.slice("data: ".length));
}

describe("a stream", () => {
  it("is the role, the content token by token, the finish and [DONE]", async () => {
    const events = await eventsOf(saying("I love it", { stream: true, max_tokens: 2 }));
    expect(events.at(-1)).toBe("[DONE]");
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event));
    expect(chunks.map(({ choices }) => [choices[0].delta, choices[0].finish_reason])).toEqual([
      [{ role: "assistant", content: "", refusal: null }, null],
      [{ content: "The" }, null],
      [{ content: " text" }, null],
      [{}, "length"],
    ]);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks[0]).toMatchObject({ object: "chat.completion.chunk", model: "gpt-4o-mini-2024-07-18" });
    expect(chunks[0]).not.toHaveProperty("usage");
  });

  it("ends with the usage and no choices when asked for it, null before", async () => {
    const events = await eventsOf(saying("hi", { stream: true, stream_options: { include_usage: true } }));
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event));
    const plain = await wire(await openai.post(saying("hi")));
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: plain.usage });
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
  });

  it("adds up to the same completion, with every choice, in the official client", async () => {
    const request = {
      model: "gpt-4o-mini",
      n: 2,
      logprobs: true,
      messages: [{ role: "user" as const, content: "héllo 漢字 🎉" }],
    };
    const streamed = await openai.client.chat.completions.stream(request).finalChatCompletion();
    const plain = await openai.client.chat.completions.create(request);
    const gist = (completion: typeof plain) =>
      completion.choices.map(({ message, finish_reason, logprobs }) => [
        message.content,
        finish_reason,
        logprobs?.content,
      ]);
    expect(gist(streamed)).toEqual(gist(plain));
  });

  it("carries tool calls in pieces", async () => {
    const parameters = { type: "object", properties: { city: { type: "string" } } };
    const tools = ["get_weather", "get_time"].map((name) => ({
      type: "function" as const,
      function: { name, parameters },
    }));
    const stream = openai.client.chat.completions.stream({
      model: "gpt-4o-mini",
      messages: [{ role: "user", content: "Use get_weather and get_time for Oslo" }],
      tools,
    });
    const { choices } = await stream.finalChatCompletion();
    expect(choices[0]?.finish_reason).toBe("tool_calls");
    const calls = choices[0]?.message.tool_calls ?? [];
    expect(calls.map((call) => call.type === "function" && [call.function.name, call.function.arguments])).toEqual([
      ["get_weather", '{"city":"Oslo"}'],
      ["get_time", '{"city":"Oslo"}'],
    ]);
  });
});
