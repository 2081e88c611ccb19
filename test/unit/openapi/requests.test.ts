import { chatRequest } from "@tollgate/core/chat/schema";
import { idempotencyKey } from "@tollgate/core/completion/caller";
import { resultsQuery } from "@tollgate/core/result/query";
import { uploadRequest } from "@tollgate/core/upload/schema";
import { usageQuery } from "@tollgate/core/usage/query";
import { visionRequest } from "@tollgate/core/vision/schema";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { bodySchemaOf, operationOf, validatorOf } from "../../openapi/document.ts";
import { mutationsOf, valuesOf } from "../../openapi/instances.ts";
import { toText } from "../../openapi/parameters.ts";

/** A seed of its own in every run; fast-check prints it with the counterexample, to be set here. */
const options = { numRuns: 2_000 };

const bodies: [string, z.ZodType][] = [
  ["POST /chat", chatRequest],
  ["POST /vision", visionRequest],
  ["POST /uploads", uploadRequest],
];

describe.each(bodies)("the body of %s", (route, schema) => {
  const schemaInDocument = bodySchemaOf(route);
  const fits = validatorOf(schemaInDocument);
  const bodies = valuesOf(schemaInDocument);

  test("is accepted whenever the document allows it", () => {
    fc.assert(
      fc.property(
        bodies.filter((body) => fits(body)),
        (body) => {
          expect(schema.safeParse(body).error).toBeUndefined();
        },
      ),
      options,
    );
  });

  test("is accepted exactly when the document allows it, whatever is changed in it", () => {
    let refused = 0;
    fc.assert(
      fc.property(bodies.chain(mutationsOf), (body) => {
        const allowed = fits(body);
        if (!allowed) refused += 1;
        expect({ body, accepted: schema.safeParse(body).success }).toEqual({ body, accepted: allowed });
      }),
      options,
    );
    expect(refused).toBeGreaterThan(options.numRuns / 10);
  });
});

const queries: [string, z.ZodType][] = [
  ["GET /results", resultsQuery],
  ["GET /usage", usageQuery],
];

describe.each(queries)("the query of %s", (route, schema) => {
  const parameters = operationOf(route).parameters ?? [];

  test.each(parameters.map((parameter) => [parameter.name, parameter] as const))(
    "takes a %s exactly when the document allows it",
    (name, parameter) => {
      const fits = validatorOf(parameter.schema);
      fc.assert(
        fc.property(fc.oneof(valuesOf(parameter.schema), valuesOf(parameter.schema).chain(mutationsOf)), (value) => {
          const sent = toText(parameter, value);
          fc.pre(sent !== null);
          expect({ sent, accepted: schema.safeParse({ [name]: sent }).success }).toEqual({
            sent,
            accepted: fits(value),
          });
        }),
        options,
      );
    },
  );
});

test("an Idempotency-Key is accepted exactly when the document allows it", () => {
  const parameter = operationOf("POST /chat").parameters?.find(({ name }) => name === "Idempotency-Key");
  const fits = validatorOf(parameter?.schema ?? {});
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 300 }), valuesOf(parameter?.schema ?? {})), (key) => {
      expect(idempotencyKey.safeParse(key).success).toBe(fits(key));
    }),
    options,
  );
});
