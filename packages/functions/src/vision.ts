import { parseJsonBody } from "@tollgate/core/request";
import { visionRequest } from "@tollgate/core/vision/schema";
import { vision } from "@tollgate/core/vision/vision";
import { streaming } from "./http.ts";
import { resultResponse } from "./result-response.ts";
import { chatDeps } from "./runtime/chat.ts";
import { images } from "./runtime/s3.ts";

const deps = { ...chatDeps, images };

export const handler = streaming(async (request) =>
  resultResponse(await vision(deps, parseJsonBody(visionRequest, request.body), request)),
);
