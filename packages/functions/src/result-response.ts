import type { Performed } from "@tollgate/core/result/perform";
import { presentResult } from "@tollgate/core/result/result";
import type { HttpResponse } from "./http.ts";

/** A result that was asked for over HTTP. `idempotent-replayed` tells one that was stored before. */
export const resultResponse = ({ result, replayed }: Performed): HttpResponse => ({
  status: 200,
  headers: replayed ? { "idempotent-replayed": "true" } : {},
  body: presentResult(result),
  resultId: result.id,
});
