import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { MeteredStage } from "./stage.ts";

/** One way of asking, and the functions that it sets to work. */
export interface RequestKind {
  name: string;
  functions: readonly string[];
  /** Sends the n-th of its kind. */
  send(n: number): Promise<unknown>;
}

const photo = "examples/photos/rocket.jpg";
const review =
  "I love this product! Setting it up took me a whole evening, though, and the manual was of no help. Support answered " +
  "within the hour and was kind about it. I would buy it again, and I would tell my friends to read the forum first.";
const question = { messages: [{ role: "user", content: review }] };
export const chat = { ...question, schema: "sentiment" };

/** @param model the stage's default one, for the API that has none: what is compared is asked of the same model */
export function requestKinds(root: string, { ask, s3, info, limitedKey }: MeteredStage, model: string): RequestKind[] {
  const image = readFileSync(join(root, photo));
  const images = [{ data: image.toString("base64") }];
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    ask("POST", path, { body, headers });
  return [
    { name: "chat", functions: ["Chat"], send: () => post("/chat", chat) },
    { name: "chat, streamed", functions: ["Chat"], send: () => post("/chat", { ...question, stream: true }) },
    {
      name: "/v1/chat/completions",
      functions: ["OpenAI"],
      send: () => post("/v1/chat/completions", { model, ...question }),
    },
    {
      name: "chat, budget and rate",
      functions: ["Chat"],
      send: () => ask("POST", "/chat", { body: { ...chat, max_completion_tokens: 500 }, apiKey: limitedKey }),
    },
    {
      name: "chat, deferred",
      functions: ["Chat", "RequestDeferred"],
      send: () => post("/chat", chat, { prefer: "respond-async" }),
    },
    // Asked first before it is measured.
    { name: "chat, replayed", functions: ["Chat"], send: () => post("/chat", chat, { "idempotency-key": "again" }) },
    {
      name: "image, inline",
      functions: ["Vision"],
      send: () => post("/vision", { schema: "image_description", images }),
    },
    {
      name: "image, put into S3",
      functions: ["ImageUploaded"],
      send: (n) => s3.send(new PutObjectCommand({ Bucket: info.bucket, Key: `uploads/local/${n}.jpg`, Body: image })),
    },
    {
      name: "image, by form",
      functions: ["Uploads", "ImageUploaded"],
      async send() {
        const { url, fields } = JSON.parse(await post("/uploads", { content_type: "image/jpeg" }));
        const form = new FormData();
        for (const [name, value] of Object.entries<string>(fields)) form.append(name, value);
        form.append("file", new Blob([image]));
        const response = await fetch(url, { method: "POST", body: form });
        if (!response.ok) throw new Error(`The form was answered ${response.status}: ${await response.text()}`);
      },
    },
    { name: "20 results, listed", functions: ["Results"], send: () => ask("GET", "/results?limit=20") },
  ];
}
