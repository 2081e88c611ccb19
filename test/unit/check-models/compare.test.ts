import { describe, expect, it } from "vitest";
import { compare, lineOf } from "../../../packages/cli/src/check-models/compare.ts";
import type { Explanation } from "../../../packages/cli/src/check-models/explain.ts";
import { type Catalogue, factsOf, type Value } from "../../../packages/cli/src/check-models/facts.ts";
import type { OwnCatalogue } from "../../../packages/cli/src/check-models/own.ts";
import { report } from "../../../packages/cli/src/check-models/report.ts";

const today = new Date("2026-11-28T12:00:00Z");

type Told = Record<string, Record<string, Value | undefined>>;
const catalogue = (name: Catalogue["name"], told: Told, more: Partial<Catalogue> = {}): Catalogue => ({
  name,
  models: new Map(Object.entries(told).map(([model, facts]) => [model, factsOf(Object.entries(facts))])),
  ...more,
});

const own = (told: Record<string, Record<string, Value | readonly Value[]>>): OwnCatalogue => ({
  servedNames: Object.keys(told),
  factsOf: (name) => (told[name] ? new Map(Object.entries(told[name])) : null),
});
const ours = own({ one: { input: 2, ends: null, "longest prompt": [400, 272], pictures: true } });

const linesOf = (mine: OwnCatalogue, ...others: Catalogue[]) => compare(mine, others, today).differences.map(lineOf);

describe("two catalogues", () => {
  it("agree where they say the same, and where one says nothing", () => {
    const theirs = catalogue("litellm", { one: { input: 2, "longest prompt": 272, output: undefined } });
    expect(compare(ours, [theirs], today)).toEqual({ differences: [], facts: 2 });
  });

  it("differ in a price, an end, a limit, and what a model takes", () => {
    const theirs = { input: 2.5, ends: "2027-01-14", "longest prompt": 500, pictures: false, "output (batch)": 5 };
    expect(linesOf(ours, catalogue("litellm", { one: theirs }))).toEqual([
      'litellm one "input": ours 2, theirs 2.5',
      'litellm one "ends": ours none, theirs 2027-01-14',
      'litellm one "longest prompt": ours 400 or 272, theirs 500',
      'litellm one "pictures": ours true, theirs false',
      'litellm one "output (batch)": ours none, theirs 5',
    ]);
  });

  it("differ when the other says that a model has no end, and core has one", () => {
    const ending = own({ one: { ends: "2027-01-14" } });
    expect(linesOf(ending, catalogue("openai", { one: { ends: null } }))).toEqual([
      'openai one "ends": ours 2027-01-14, theirs none',
    ]);
  });

  it("differ when one has no such model", () => {
    expect(linesOf(ours, catalogue("litellm", { two: {} }))).toEqual([
      'litellm two "model": ours missing, theirs listed',
      'litellm one "model": ours listed, theirs missing',
    ]);
  });

  it("do not differ in a model that any of them says has ended, by today, or is another API's", () => {
    const types = catalogue("openai", { one: {}, two: { ends: "2026-11-28" }, three: { ends: "2026-11-29" } });
    const table = catalogue("litellm", { one: {}, two: {} }, { elsewhere: new Set(["gpt-5.1-pro", "four"]) });
    const prices = catalogue("genai-prices", { one: {}, two: {}, three: {}, four: {}, "gpt-5-1-pro": {} });
    expect(linesOf(ours, types, table, prices)).toEqual([
      'openai three "model": ours missing, theirs listed',
      'genai-prices three "model": ours missing, theirs listed',
    ]);
  });

  it("do not differ in a missing model of a catalogue that mixes APIs, while none tells them apart", () => {
    const prices = catalogue("genai-prices", { one: {}, two: {} }, { mixesApis: true });
    expect(linesOf(ours, prices)).toEqual([]);
    expect(linesOf(ours, prices, catalogue("litellm", { one: {} }, { elsewhere: new Set() }))).toHaveLength(1);
  });
});

describe("the report", () => {
  const explanation: Explanation = {
    catalogue: "litellm",
    models: ["one"],
    fields: ["input"],
    theirs: 2.5,
    because: "Rounded.",
  };
  const asked = (told: Told, explanations: Explanation[], more: Partial<Parameters<typeof report>[0]> = {}) =>
    report({
      own: ours,
      others: [catalogue("litellm", told)],
      missing: [],
      explanations,
      today,
      withExplained: false,
      ...more,
    });

  it("ends with 0 when all agree, and with counts", () => {
    expect(asked({ one: { input: 2 } }, [])).toEqual({
      lines: [
        "1 facts compared with litellm (1 models): 0 differences without an explanation, 0 with one, 0 explanations of nothing.",
      ],
      status: 0,
    });
  });

  it("ends with 1 and a line for a difference that is not explained", () => {
    const { lines, status } = asked({ one: { input: 2.5 } }, []);
    expect(status).toBe(1);
    expect(lines[0]).toBe('litellm one "input": ours 2, theirs 2.5');
  });

  it("ends with 0 when a difference is explained, and tells it when asked to", () => {
    expect(asked({ one: { input: 2.5 } }, [explanation])).toMatchObject({
      lines: [expect.stringContaining("0 differences without an explanation, 1 with one")],
      status: 0,
    });
    expect(asked({ one: { input: 2.5 } }, [explanation], { withExplained: true }).lines[0]).toBe(
      'litellm one "input": ours 2, theirs 2.5\n    right here: Rounded.',
    );
  });

  it("shows a difference again when the other catalogue changes the value that was explained", () => {
    const { lines, status } = asked({ one: { input: 2.6 } }, [explanation]);
    expect(status).toBe(1);
    expect(lines[0]).toBe('litellm one "input": ours 2, theirs 2.6');
    expect(lines[1]).toMatch(/^explains nothing any more: litellm one "input", theirs 2.5: Rounded\.$/);
  });

  it("ends with 1 for a name or a field of an explanation that no difference has any more", () => {
    const wide = { ...explanation, models: ["one", "gone"], fields: ["input", "output"] };
    const { lines, status } = asked({ one: { input: 2.5 } }, [wide]);
    expect(status).toBe(1);
    expect(lines.slice(0, -1).map((line) => line.replace(/, theirs.*/, ""))).toEqual([
      'explains nothing any more: litellm gone "input"',
      'explains nothing any more: litellm one "output"',
      'explains nothing any more: litellm gone "output"',
    ]);
  });

  it("takes an explanation of a kind of names for all that match, and for nothing when none does", () => {
    const kind: Explanation = { ...explanation, models: /^two/, fields: ["model"], theirs: "listed" };
    expect(asked({ one: {}, two: {}, "two-pro": {} }, [kind]).status).toBe(0);
    expect(asked({ one: {} }, [kind])).toMatchObject({
      status: 1,
      lines: [expect.stringContaining("/^two/"), expect.any(String)],
    });
  });

  it("ends with 2 when a catalogue could not be had, compares the rest, and blames no explanation", () => {
    const { lines, status } = asked({ one: { input: 3 } }, [explanation], { missing: ["openai", "genai-prices"] });
    expect(status).toBe(2);
    expect(lines).toEqual([
      'litellm one "input": ours 2, theirs 3',
      expect.stringMatching(/0 explanations of nothing; openai, genai-prices could not be had\.$/),
    ]);
  });
});
