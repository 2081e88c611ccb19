import { buffered } from "./http.ts";
import { openapiDocument } from "./openapi/document.ts";

const body = JSON.stringify(openapiDocument());

export const handler = buffered(async () => ({ status: 200, body }));
