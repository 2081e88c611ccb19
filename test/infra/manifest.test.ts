import { beforeAll, describe, expect, test } from "vitest";
import { evaluate } from "../../packages/local/src/synth/evaluate.ts";
import type { Graph } from "../../packages/local/src/synth/graph.ts";
import { installPlatform } from "../../packages/local/src/synth/platform.ts";
import { readManifest } from "../../packages/local/src/synth/read.ts";
import { committedManifest, root } from "./stage.ts";

let graph: Graph;

beforeAll(async () => {
  await installPlatform(root);
  graph = await evaluate(root);
});

const inputsOf = (type: string) =>
  graph.resources.filter((resource) => resource.type === type).map(({ inputs }) => inputs);

test("infra/manifest.json is what sst.config.ts declares", async () => {
  expect(readManifest(graph), "infra/ has changed: run `npm run synth` and commit infra/manifest.json").toEqual(
    await committedManifest(),
  );
});

test("the manifest is the same in every run, and in whatever order Pulumi registers", async () => {
  const again = await evaluate(root);
  again.resources.reverse();

  expect(JSON.stringify(readManifest(again))).toBe(JSON.stringify(readManifest(graph)));
});

describe("what the manifest leaves out", () => {
  test("a deployment snapshots the gateway responses and the authorizer, not the routes alone", () => {
    const [deployment] = inputsOf("aws:apigateway/deployment:Deployment");
    const triggers = JSON.stringify(deployment?.triggers);

    for (const { responseType } of inputsOf("aws:apigateway/response:Response"))
      expect(triggers).toContain(responseType);
    expect(triggers).toContain("method.request.header.Authorization");
  });

  test("every lifecycle rule says which objects it is for, all of them too: the provider warns of one that does not", () => {
    const rules = inputsOf("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").flatMap(
      (it) => it.rules,
    );
    expect(rules).toContainEqual(expect.objectContaining({ id: "abort-unfinished-uploads", filter: { prefix: "" } }));
    for (const rule of rules) expect(rule).toHaveProperty("filter.prefix");
  });

  test("each function has a role of its own, which only Lambda can take", () => {
    const roles = inputsOf("aws:lambda/function:Function").map(({ role }) => role);
    expect(new Set(roles).size).toBe(roles.length);

    const trusted = graph.resources
      .filter(({ type }) => type === "aws:iam/role:Role")
      .map(({ state, inputs: { assumeRolePolicy } }) => [state.arn, JSON.stringify(assumeRolePolicy)] as const);
    for (const [arn, policy] of trusted) {
      // The other roles are those with which a schedule calls its function.
      const service = roles.includes(arn) ? "lambda" : "scheduler";
      const services = [...policy.matchAll(/[a-z]+(?=\.amazonaws\.com)/g)].map(([name]) => name);
      expect(services).toEqual([service]);
      expect(policy).not.toMatch(/"AWS"|\*/);
    }
  });

  test("the API is regional: an edge-optimised one closes a silent stream after 30 s", () => {
    expect(inputsOf("aws:apigateway/restApi:RestApi")).toMatchObject([
      { endpointConfiguration: { types: "REGIONAL" } },
    ]);
  });

  test("functions log JSON, and no log is kept for ever, the API's own included", () => {
    for (const { loggingConfig } of inputsOf("aws:lambda/function:Function"))
      expect(loggingConfig).toMatchObject({ logFormat: "JSON" });
    const logs = inputsOf("aws:cloudwatch/logGroup:LogGroup");
    expect(logs.map(({ name }) => name)).toContainEqual(expect.stringContaining("/apis/"));
    for (const { retentionInDays } of logs) expect(retentionInDays).toBeGreaterThan(0);
  });

  test("API Gateway may call the function of every route, and the authorizer", () => {
    const allowed = inputsOf("aws:lambda/permission:Permission").map((permission) => permission.function);
    const { api } = readManifest(graph);
    const functions = [...api.routes.map((route) => route.function), api.authorizer?.function];

    for (const name of functions) expect(allowed).toContainEqual(expect.stringMatching(`-${name}Function$`));
  });
});
