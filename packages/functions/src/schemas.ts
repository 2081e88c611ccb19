import { schemaNamed, schemaNames } from "@tollgate/core/schemas/index";
import { presentSchema } from "@tollgate/core/schemas/present";
import { requireSchema } from "@tollgate/core/schemas/require";
import { buffered } from "./http.ts";

export const handler = buffered(async ({ params: { name } }) => {
  if (name !== undefined) return { status: 200, body: presentSchema(requireSchema(name, "not_found")) };
  const data = schemaNames.flatMap((name) => schemaNamed(name) ?? []).map(presentSchema);
  return { status: 200, body: { object: "list", data } };
});
