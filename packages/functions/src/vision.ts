import { parseJsonBody } from "@tollgate/core/request";
import { visionRequest } from "@tollgate/core/vision/schema";
import { streamVision, vision } from "@tollgate/core/vision/vision";
import { streaming } from "./http.ts";
import { resultResponse } from "./result-response.ts";
import { chatDeps } from "./runtime/chat.ts";
import { images } from "./runtime/s3.ts";
import { resultEvents, streamResponse } from "./stream-response.ts";

const deps = { ...chatDeps, images };

export const handler = streaming(async (request) => {
  const body = parseJsonBody(visionRequest, request.body);
  if (body.stream) return streamResponse(await streamVision(deps, body, request), resultEvents);
  return resultResponse(await vision(deps, body, request));
});
