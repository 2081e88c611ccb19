import { AppError } from "@tollgate/core/error";
import { buffered } from "./http.ts";

const maxPathCharacters = 200;

/** Answers whatever no other route is for. */
export const handler = buffered(async ({ method, params: { proxy = "" } }) => {
  const path = proxy.length > maxPathCharacters ? `${proxy.slice(0, maxPathCharacters)}…` : proxy;
  throw new AppError("not_found", `No such route: ${method} /${path}. See GET /openapi.json.`);
});
