import type { Picture } from "./image.ts";
import { type Message, textOf } from "./message.ts";

/** What a request is about: all that a simulated answer is drawn from. */
export interface Subject {
  /** The text of the last message that a person or a tool wrote. */
  text: string;
  wordCount: number;
  /** In the text's order: runs of words that carry meaning. */
  keyPhrases: string[];
  /** Capitalised words inside a sentence, such as places and names. */
  properNames: string[];
  pictures: Picture[];
  sentiment: Sentiment;
}

export interface Sentiment {
  label: "positive" | "negative" | "neutral" | "mixed";
  /** -1 to 1. */
  score: number;
  /** 0 to 1, two decimals. */
  confidence: number;
}

const POSITIVE =
  "love loved loves loving like liked great good excellent amazing wonderful fantastic awesome happy best beautiful perfect brilliant enjoy enjoyed delight delighted delightful pleased nice superb impressive friendly fast helpful recommend thanks thank glad joy joyful bright sunny fun charming win won success reliable elegant fresh tasty delicious";
const NEGATIVE =
  "hate hated hates bad terrible awful horrible worst sad angry poor broken disappointed disappointing disappointment slow ugly useless annoying annoyed fail failed fails failure problem problems bug bugs wrong dirty rude late waste boring painful gloomy crash crashed crashes refund scam unhappy frustrated frustrating cold damaged disgusting";
const NEGATIONS = "not no never isn't wasn't aren't don't doesn't didn't can't cannot won't hardly without nothing";
const STOPWORDS =
  "a an the this that these those and or but if then of in on at to for from with by as is are was were be been being am it its it's i i'm me my we our you your he she they them his her their do does did have has had will would can could should may might must not no so very just what which who how why when where there here about into over after before than too also please describe tell give say make let analyze analyse sentiment json respond return user input image picture text convey";

const positive = new Set(POSITIVE.split(" "));
const negative = new Set(NEGATIVE.split(" "));
const negations = new Set(NEGATIONS.split(" "));
const stopwords = new Set(STOPWORDS.split(" "));
/** How many words a negation reaches: "not at all good". */
const NEGATION_REACH = 3;

export function subjectOf(messages: Message[], pictures: Picture[]): Subject {
  const said = messages.findLast(({ role }) => role === "user" || role === "tool" || role === "function");
  // A fault's marker is addressed to the simulation, not a part of the text.
  const text = (said ? textOf(said) : messages.map(textOf).join("\n")).replaceAll(/\[\[fault:[^\]]*\]\]/g, "").trim();
  const list = wordsOf(text);
  return {
    text,
    wordCount: list.length,
    keyPhrases: keyPhrasesOf(text),
    properNames: [...text.matchAll(/(?<=[\p{L}\d,;:'"“(] ?)\b\p{Lu}\p{Ll}+(?: \p{Lu}\p{Ll}+)*/gu)].map(
      ([name]) => name,
    ),
    pictures,
    sentiment: pictures.length > 0 ? sentimentOfPictures(pictures) : sentimentOfText(list),
  };
}

function wordsOf(text: string): string[] {
  return (
    text
      .toLowerCase()
      .replaceAll("’", "'")
      .match(/[\p{L}\d]+(?:'\p{L}+)*/gu) ?? []
  );
}

function sentimentOfText(list: string[]): Sentiment {
  let [good, bad] = [0, 0];
  for (const [index, word] of list.entries()) {
    if (!positive.has(word) && !negative.has(word)) continue;
    const negated = list.slice(Math.max(0, index - NEGATION_REACH), index).some((before) => negations.has(before));
    if (positive.has(word) !== negated) good += 1;
    else bad += 1;
  }
  if (good + bad === 0) return { label: "neutral", score: 0, confidence: 0.6 };
  const score = (good - bad) / (good + bad);
  const label = score > 0 ? "positive" : score < 0 ? "negative" : "mixed";
  return { label, score, confidence: rounded(0.6 + 0.35 * Math.abs(score) * (1 - 1 / (1 + good + bad))) };
}

/** Bright and warm reads as positive, dark as negative. */
function sentimentOfPictures(pictures: Picture[]): Sentiment {
  const mood = pictures.reduce((sum, { brightness, warmth }) => sum + 2 * (brightness - 0.4) + 0.5 * warmth, 0);
  const score = Math.max(-1, Math.min(1, mood / pictures.length));
  const label = score > 0.1 ? "positive" : score < -0.1 ? "negative" : "neutral";
  return { label, score, confidence: rounded(0.55 + 0.4 * Math.abs(score)) };
}

function keyPhrasesOf(text: string): string[] {
  const phrases = new Set<string>();
  for (const clause of text.split(/[.,;:!?()"“”\n]+/)) {
    let run: string[] = [];
    for (const word of [...wordsOf(clause), ""]) {
      if (word !== "" && !stopwords.has(word) && !negations.has(word)) run.push(word);
      else {
        if (run.length > 0) phrases.add(run.slice(0, 3).join(" "));
        run = [];
      }
    }
  }
  return [...phrases].slice(0, 5);
}

export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
