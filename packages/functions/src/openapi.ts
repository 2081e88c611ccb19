import { openapiDocument } from "@tollgate/core/openapi/document";
import { buffered } from "./http.ts";

const body = JSON.stringify(openapiDocument());

export const handler = buffered(async () => ({ status: 200, body }));
