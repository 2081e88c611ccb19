import { openapiDocument } from "@tollgate/functions/openapi/document";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

/** JSON Schema as the document uses it. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  propertyNames?: Schema;
  maxProperties?: number;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minimum?: number;
  maximum?: number;
}

export interface Parameter {
  in: "path" | "query" | "header";
  name: string;
  required?: boolean;
  explode?: boolean;
  schema: Schema;
}

export interface Response {
  headers?: Record<string, { required?: boolean; schema: Schema }>;
  content?: Record<string, { schema: Schema }>;
}

export interface Operation {
  security?: unknown[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema; examples?: Record<string, { value: unknown }> }> };
  responses: Record<string, Response>;
}

interface Document {
  openapi: string;
  info: { version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** What `GET /openapi.json` sends. */
export const document: Document = JSON.parse(JSON.stringify(openapiDocument()));

/** By `POST /chat`. */
export const operations = new Map<string, Operation>(
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as [string, Operation],
    ),
  ),
);

/** The operation of a route, or a failure that lists the routes there are. */
export function operationOf(route: string): Operation {
  const operation = operations.get(route);
  if (!operation) throw new Error(`The document has no ${route}, only ${[...operations.keys()].join(", ")}.`);
  return operation;
}

/** The schema that a request's JSON body has to fit. */
export function bodySchemaOf(route: string): Schema {
  const schema = operationOf(route).requestBody?.content["application/json"]?.schema;
  if (!schema) throw new Error(`${route} takes no JSON.`);
  return resolve(schema);
}

export function resolve(schema: Schema): Schema {
  const name = schema.$ref?.replace("#/components/schemas/", "");
  const found = name === undefined ? schema : document.components.schemas[name];
  if (!found) throw new Error(`The document has no ${schema.$ref}.`);
  return found;
}

const ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }));
ajv.addSchema(document, "document");

/** Whether a value fits a schema of the document, judged by a validator that knows nothing of zod. */
export function validatorOf(schema: Schema) {
  return ajv.compile<unknown>({ ...structuredClone(schema), ...absolute(schema) });
}

/** Components refer to each other inside the document. */
const absolute = (schema: Schema): object =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/'));
