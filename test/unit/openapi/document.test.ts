import { readFile } from "node:fs/promises";
import { Validator } from "@seriousme/openapi-schema-validator";
import { isErrorCode } from "@tollgate/core/error";
import { presentSchema } from "@tollgate/core/schemas/present";
import { requireSchema } from "@tollgate/core/schemas/require";
import { describe, expect, test } from "vitest";
import type { Manifest } from "../../../packages/local/src/manifest.ts";
import { document, operationOf, operations, resolve, validatorOf } from "../../openapi/document.ts";

const manifest: Manifest = JSON.parse(await readFile(new URL("../../../infra/manifest.json", import.meta.url), "utf8"));

test("the document is valid OpenAPI 3.1", async () => {
  const { valid, errors } = await new Validator().validate({ ...document });

  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(document.openapi).toMatch(/^3\.1\./);
});

/** Without the one that answers unknown paths, and without HEAD, which is a GET without its body. */
const deployed = manifest.api.routes.filter(({ path, method }) => path !== "/{proxy+}" && method !== "HEAD");

test("the document has every route that is deployed, and no other", () => {
  expect([...operations.keys()].sort()).toEqual(deployed.map(({ method, path }) => `${method} ${path}`).sort());
});

test.each(deployed)("$method $path needs a key in the document exactly when it is deployed with one", (route) => {
  const { security, responses } = operationOf(`${route.method} ${route.path}`);

  expect(security === undefined).toBe(route.authorized);
  expect("401" in responses).toBe(route.authorized);
});

describe.each([...operations])("%s", (route, operation) => {
  test("tells every parameter of its path", () => {
    const inPath = [...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const told = (operation.parameters ?? []).filter((parameter) => parameter.in === "path" && parameter.required);

    expect(told.map(({ name }) => name)).toEqual(inPath);
  });

  test("answers every status with a body, and with a request id", () => {
    for (const { headers, content } of Object.values(operation.responses)) {
      expect(headers?.["x-request-id"]?.required).toBe(true);
      expect(Object.values(content ?? {})).not.toEqual([]);
    }
  });

  test("lists for every error the codes that there are", () => {
    for (const [status, { content }] of Object.entries(operation.responses)) {
      if (Number(status) < 400) continue;
      const codes = content?.["application/json"]?.schema.properties?.error?.properties?.code?.enum ?? [];
      expect(codes).not.toEqual([]);
      for (const code of codes) expect(isErrorCode(code)).toBe(true);
    }
  });

  test("gives examples that it would accept", () => {
    for (const { schema, examples = {} } of Object.values(operation.requestBody?.content ?? {})) {
      const fits = validatorOf(schema);
      for (const [name, { value }] of Object.entries(examples))
        expect({ name, fits: fits(value) }).toEqual({ name, fits: true });
    }
  });
});

test("a registered structured output is as the document says", () => {
  const fits = validatorOf(resolve({ $ref: "#/components/schemas/OutputSchema" }));

  expect(fits(presentSchema(requireSchema("sentiment")))).toBe(true);
  expect(fits({ ...presentSchema(requireSchema("sentiment")), surplus: 1 })).toBe(false);
});
