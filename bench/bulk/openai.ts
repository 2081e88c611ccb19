import { setTimeout } from "node:timers/promises";
import { listenOnLoopback } from "@tollgate/local/aws/loopback";
import { imageCompletion } from "../image-completion.ts";

/** An OpenAI that says the same of every image, so long after the request has come. */
export const startSlowOpenAI = (latencyMs: number) =>
  listenOnLoopback((request, response) => {
    request.resume().once("end", async () => {
      await setTimeout(latencyMs);
      response.writeHead(200, { "content-type": "application/json", "x-request-id": "req_1" }).end(imageCompletion);
    });
  });
