import { beforeAll, describe, expect, test } from "vitest";
import type { AlarmSpec, Manifest } from "../../packages/local/src/manifest.ts";
import { evaluate } from "../../packages/local/src/synth/evaluate.ts";
import { installPlatform } from "../../packages/local/src/synth/platform.ts";
import { readManifest } from "../../packages/local/src/synth/read.ts";
import { committedManifest, named, root } from "./stage.ts";

const { alarms } = await committedManifest();

describe("a stage", () => {
  let production: Manifest;
  let alone: Manifest;
  let told: Manifest;
  beforeAll(async () => {
    await installPlatform(root);
    const variables = { ALARM_EMAIL: "maya@example.com", DAILY_SPEND_USD: "250.50" };
    const graphs = [evaluate(root, "production"), evaluate(root, "maya"), evaluate(root, "maya", variables)] as const;
    [production, alone, told] = (await Promise.all(graphs)).map(readManifest) as [Manifest, Manifest, Manifest];
  });
  const withoutStage = (all: Record<string, AlarmSpec>, stage: string) =>
    JSON.parse(JSON.stringify(all).replaceAll(stage, "STAGE"));

  test("in production has the alarms that are reviewed here", () => {
    expect(withoutStage(production.alarms, "production")).toEqual(withoutStage(alarms, "local"));
    expect(production.dashboards).toHaveProperty("Dashboard");
  });

  test("of a developer has none, unless somebody wants to be told", () => {
    expect([alone.alarms, alone.dashboards, alone.topics]).toEqual([{}, {}, {}]);
    expect(Object.keys(told.alarms)).toEqual(Object.keys(alarms));
    expect(told.topics).toEqual({ Alarms: { subscriptions: [{ protocol: "email", endpoint: "maya@example.com" }] } });
  });

  test("rings at the daily spend that its deployer has set", () => {
    expect(named(told.alarms, "DailySpend")).toMatchObject({ above: 250.5, periodSeconds: 24 * 3600 });
    expect(named(alarms, "DailySpend").above).toBe(10);
  });
});
