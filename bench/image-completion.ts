const description = {
  description: "A rocket stands on its launch pad. Its engines have just been lit, and smoke rolls over the ground.",
  alt_text: "A rocket on its launch pad with its engines lit.",
  objects: ["rocket", "launch pad", "smoke"],
  text: null,
  colors: ["white", "orange", "gray"],
};

/** What the stand-ins for OpenAI say of every image: the simulated one decodes each, on the processors that are measured. */
export const imageCompletion = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1_795_000_000,
  model: "gpt-4o-mini-2024-07-18",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: JSON.stringify(description), refusal: null },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage: { prompt_tokens: 8_700, completion_tokens: 62, total_tokens: 8_762 },
  service_tier: "default",
});
