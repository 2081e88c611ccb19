import { uploadRequest } from "@tollgate/core/upload/schema";
import { createUpload } from "@tollgate/core/upload/upload";
import { parseJsonBody } from "@tollgate/core/validation/request";
import { buffered } from "./http.ts";
import { bucketName, config, now } from "./runtime/config.ts";
import { resultTable } from "./runtime/table.ts";
import { signForm } from "./runtime/upload-form.ts";

const { DEFAULT_MODEL } = config("DEFAULT_MODEL");
const deps = { store: resultTable, signForm, bucket: bucketName(), defaultModel: DEFAULT_MODEL, now };

export const handler = buffered(async (request) => {
  const upload = await createUpload(deps, parseJsonBody(uploadRequest, request.body), request);
  return { status: 201, body: upload, resultId: upload.id };
});
