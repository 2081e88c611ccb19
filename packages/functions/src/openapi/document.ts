import type { ErrorCode } from "@tollgate/core/error";
import * as z from "zod";
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from "zod-openapi";
import { errorResponses } from "./errors.ts";
import { type Route, routes } from "./routes.ts";

const description = `OpenAI chat and vision in your own AWS account, with every token on a ledger.

**Requests.** JSON in \`snake_case\`. A request that this document allows is never answered with \`invalid_request\`, and one
that it forbids always is, unknown fields and query parameters included. What JSON Schema cannot say has codes of its own:
\`invalid_schema\`, \`invalid_range\`, \`invalid_image\`, \`unsupported_image\`, \`not_found\`, \`model_not_found\`, and
\`upstream_rejected\` for what only OpenAI can judge.

**Errors** have OpenAI's shape, and every response an \`x-request-id\`.`;

const everyRoute: readonly ErrorCode[] = ["rate_limited", "internal", "upstream_timeout"];

/** The API as OpenAPI 3.1, made from the schemas that validate its requests. */
export const openapiDocument = () =>
  createDocument({
    openapi: "3.1.1",
    info: { title: "Tollgate", version: "0.2.0", description },
    // Wherever this document was read, so that it is true of every stage.
    servers: [{ url: "." }],
    security: [{ bearer: [] }],
    paths: paths(),
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "An API key of this stage: `tg-…`." },
      },
    },
  });

function paths(): ZodOpenApiPathsObject {
  const byPath: ZodOpenApiPathsObject = {};
  for (const [name, route] of Object.entries(routes)) {
    const [method = "", path = ""] = name.split(" ");
    byPath[path] = { ...byPath[path], [method.toLowerCase()]: operation(method, path, route) };
  }
  return byPath;
}

function operation(method: string, path: string, route: Route): ZodOpenApiOperationObject {
  const { request = {} } = route;
  const errors = new Set([...route.errors, ...(route.public ? [] : ["invalid_api_key" as const]), ...everyRoute]);
  return {
    operationId: operationId(method, path),
    summary: route.summary,
    ...(route.description && { description: route.description }),
    tags: [route.tag],
    ...(route.public && { security: [] }),
    requestParams: {
      ...(request.path && { path: request.path }),
      ...(request.query && { query: request.query }),
      ...(request.header && { header: request.header }),
    },
    ...(request.body && {
      requestBody: {
        required: true,
        content: {
          "application/json": { schema: request.body, ...(request.examples && { examples: request.examples }) },
        },
      },
    }),
    responses: {
      ...success(route.response),
      ...(route.otherwise && success(route.otherwise)),
      ...errorResponses([...errors].sort()),
    },
  };
}

const success = ({ status, description, headers, body, alternatives }: Route["response"]) => ({
  [status]: {
    description,
    headers: z.object(headers),
    content: content({ "application/json": body, ...alternatives }),
  },
});

const content = (bodies: Record<string, z.ZodType>) =>
  Object.fromEntries(Object.entries(bodies).map(([type, schema]) => [type, { schema }]));

/** `GET /results/{id}` is `getResultsId`. */
const operationId = (method: string, path: string): string =>
  method.toLowerCase() + path.replaceAll(/\W+(\w)?/g, (_, letter: string | undefined) => letter?.toUpperCase() ?? "");
