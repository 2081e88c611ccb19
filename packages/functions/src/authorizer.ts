import { bearerKey } from "@tollgate/core/key/key";
import { limitsOf, verifyKey } from "@tollgate/core/key/store";
import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from "aws-lambda";
import { toAuthorizerContext } from "./authorizer-context.ts";
import { tableName } from "./runtime/config.ts";
import { dynamodb } from "./runtime/dynamodb.ts";

const store = { dynamodb, tableName: tableName() };

/** Lets a request in on behalf of its key's owner. API Gateway answers 401 when this throws "Unauthorized", by that very word. */
export const handler = async (event: APIGatewayRequestAuthorizerEvent): Promise<APIGatewayAuthorizerResult> => {
  const header = Object.entries(event.headers ?? {}).find(([name]) => name.toLowerCase() === "authorization");
  const apiKey = bearerKey(header?.[1]);
  const key = apiKey && (await verifyKey(store, apiKey));
  if (!key) throw new Error("Unauthorized");
  // The answer is cached by key for every route, so it must not name the one that was asked for.
  const [api, stage] = event.methodArn.split("/");
  return {
    principalId: key.key_id,
    policyDocument: {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "execute-api:Invoke", Resource: `${api}/${stage}/*` }],
    },
    context: { owner: key.owner, ...toAuthorizerContext(limitsOf(key)) },
  };
};
