/** Requests as people send them; a test holds them against their schemas. */
export const chatExamples = {
  schema: {
    summary: "A registered structured output",
    value: { schema: "sentiment", messages: [{ role: "user", content: "I love this product!" }] },
  },
  own_schema: {
    summary: "A structured output of your own",
    value: {
      model: "gpt-6-luna",
      messages: [{ role: "user", content: "Say hello to Ada." }],
      response_format: {
        type: "json_schema",
        json_schema: {
          name: "greeting",
          strict: true,
          schema: {
            type: "object",
            properties: { greeting: { type: "string" } },
            required: ["greeting"],
            additionalProperties: false,
          },
        },
      },
    },
  },
  image: {
    summary: "A message with an image",
    value: {
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url: "https://example.com/cat.jpg", detail: "low" } },
          ],
        },
      ],
    },
  },
};

export const visionExamples = {
  url: {
    summary: "An image on the web",
    value: { images: [{ url: "https://example.com/cat.jpg" }], schema: "image_sentiment" },
  },
  data: {
    summary: "An image in base64",
    value: {
      images: [
        { data: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==" },
      ],
      prompt: "Which colour is this?",
      detail: "low",
    },
  },
};

export const uploadExamples = {
  jpeg: { summary: "A photograph, to be described", value: { content_type: "image/jpeg" } },
  receipt: {
    summary: "A receipt, to be read",
    value: { content_type: "image/jpeg", schema: "receipt", metadata: { trip: "Lisbon" } },
  },
};
