import { AppError } from "@tollgate/core/error";
import { deleteResult } from "@tollgate/core/result/delete";
import { isExpired } from "@tollgate/core/result/item";
import { maxPageBytes } from "@tollgate/core/result/page";
import { encodeCursor, resultsOptions, resultsQuery } from "@tollgate/core/result/query";
import { presentResult } from "@tollgate/core/result/result";
import { listResults, readItem, toResult } from "@tollgate/core/result/store";
import { parseRequest } from "@tollgate/core/validation/request";
import { type HttpRequest, type HttpResponse, streaming } from "./http.ts";
import { now } from "./runtime/config.ts";
import { store } from "./runtime/results.ts";
import { uploadedImages } from "./runtime/uploaded-images.ts";

/** Streams: with 128 choices, or logprobs, a result is larger than the 6 MB that Lambda takes from a function in one piece. */
export const handler = streaming(async (request) => {
  const { id } = request.params;
  if (id === undefined) return list(request);
  return request.method === "DELETE" ? remove(request, id) : read(request, id);
});

async function read({ owner }: HttpRequest, id: string): Promise<HttpResponse> {
  const result = await toResult(store, await ownItem(owner, id));
  return { status: 200, body: presentResult(result), resultId: id };
}

async function list({ owner, query }: HttpRequest): Promise<HttpResponse> {
  const options = resultsOptions(parseRequest(resultsQuery, query));
  const page = await listResults(store, { ...options, owner, now: now() });
  const results = page.results.map(presentResult);
  const data = results.slice(0, Math.max(1, countThatFit(results)));
  // What was read and does not fit is read again by the next page.
  const next = data.length < results.length ? page.results[data.length - 1] : page.next;
  const body = { object: "list", data, has_more: !!next, next_cursor: next ? encodeCursor(next) : null };
  return { status: 200, body };
}

function countThatFit(results: readonly object[]): number {
  let leftBytes = maxPageBytes;
  const fits = (result: object) => {
    leftBytes -= Buffer.byteLength(JSON.stringify(result));
    return leftBytes >= 0;
  };
  const tooMuch = results.findIndex((result) => !fits(result));
  return tooMuch < 0 ? results.length : tooMuch;
}

async function remove({ owner }: HttpRequest, id: string): Promise<HttpResponse> {
  const item = await ownItem(owner, id);
  if (item.result.status === "running" || !(await deleteResult(store, uploadedImages, item, now()))) {
    throw new AppError("in_progress", "The result is still being worked on: delete it when it is done.", {
      retryAfterSeconds: 5,
      resultId: id,
    });
  }
  return { status: 200, body: { id, object: "result", deleted: true }, resultId: id };
}

/** The same answer for a result that is not there, for one that has expired and for one of another owner. */
async function ownItem(owner: string, id: string) {
  const item = await readItem(store, id);
  if (item?.result.owner === owner && !isExpired(item, now())) return item;
  throw new AppError("not_found", "No result has this id.", { param: "id" });
}
