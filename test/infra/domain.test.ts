import { beforeAll, describe, expect, test } from "vitest";
import { evaluate } from "../../packages/local/src/synth/evaluate.ts";
import type { Graph } from "../../packages/local/src/synth/graph.ts";
import { installPlatform } from "../../packages/local/src/synth/platform.ts";
import { readManifest } from "../../packages/local/src/synth/read.ts";
import { committedManifest, root } from "./stage.ts";

const DOMAIN = "api.example.com";
const DOMAIN_CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/of-mine";

let none: Graph;
let onRoute53: Graph;
let elsewhere: Graph;

beforeAll(async () => {
  await installPlatform(root);
  none = await evaluate(root);
  onRoute53 = await evaluate(root, "local", { DOMAIN });
  elsewhere = await evaluate(root, "local", { DOMAIN, DOMAIN_CERTIFICATE });
});

const inputsOf = ({ resources }: Graph, type: string) =>
  resources.filter((resource) => resource.type === type).map(({ inputs }) => inputs);

/** Of the kinds that only a domain needs. */
const madeFor = ({ resources }: Graph) =>
  resources
    .map(({ type }) => type)
    .filter((type) => /acm|route53|domainName|basePathMapping|HostedZone/.test(type))
    .sort();

test("without DOMAIN there is no domain", () => {
  expect(madeFor(none)).toEqual([]);
});

test.each([
  ["on Route 53", () => onRoute53],
  ["elsewhere", () => elsewhere],
])("with DNS %s the API serves the domain from its root, over TLS 1.2 or later", (_, graph) => {
  expect(inputsOf(graph(), "aws:apigateway/domainName:DomainName")).toEqual([
    expect.objectContaining({
      domainName: DOMAIN,
      endpointConfiguration: { types: "REGIONAL" },
      securityPolicy: "TLS_1_2",
    }),
  ]);
  const [mapping, ...more] = inputsOf(graph(), "aws:apigateway/basePathMapping:BasePathMapping");
  expect(more).toEqual([]);
  expect(mapping).toMatchObject({ stageName: "local" });
  expect(mapping?.basePath).toBeUndefined();
});

test("everything else is as without", async () => {
  for (const graph of [onRoute53, elsewhere]) expect(readManifest(graph)).toEqual(await committedManifest());
});

describe("DOMAIN alone", () => {
  test("makes a certificate, proves it in Route 53, and points the name at the API", () => {
    const certificate = onRoute53.resources.find(({ type }) => type === "aws:acm/certificate:Certificate");
    expect(certificate?.inputs).toMatchObject({ domainName: DOMAIN, validationMethod: "DNS" });
    const [domain] = inputsOf(onRoute53, "aws:apigateway/domainName:DomainName");
    expect(domain?.regionalCertificateArn).toBe(certificate?.state.arn);

    const records = inputsOf(onRoute53, "aws:route53/record:Record").map(({ name, type }) => [name, type]);
    expect(records).toEqual(
      expect.arrayContaining([
        [`_validation.${DOMAIN}`, "CNAME"],
        [DOMAIN, "A"],
        [DOMAIN, "AAAA"],
      ]),
    );
    expect(records).toHaveLength(3);
  });
});

describe("with DOMAIN_CERTIFICATE", () => {
  test("takes that certificate, and leaves DNS alone", () => {
    const [domain] = inputsOf(elsewhere, "aws:apigateway/domainName:DomainName");
    expect(domain?.regionalCertificateArn).toBe(DOMAIN_CERTIFICATE);
    expect(madeFor(elsewhere)).toEqual([
      "aws:apigateway/basePathMapping:BasePathMapping",
      "aws:apigateway/domainName:DomainName",
    ]);
  });
});
