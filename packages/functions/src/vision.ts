// Before anything that imports OpenAI's client.
import "./runtime/web.ts";
import { parseJsonBody } from "@tollgate/core/validation/request";
import { visionRequest } from "@tollgate/core/vision/schema";
import { visionJob } from "@tollgate/core/vision/vision";
import { answer } from "./answer.ts";
import { streaming } from "./http.ts";
import { chatDeps } from "./runtime/chat.ts";
import { shrink } from "./runtime/shrink.ts";
import { uploadedImages } from "./runtime/uploaded-images.ts";

const deps = { ...chatDeps, images: uploadedImages, shrink };

export const handler = streaming(async (request) => {
  const body = parseJsonBody(visionRequest, request.body);
  return answer(deps, await visionJob(deps, body, request), body, request);
});
