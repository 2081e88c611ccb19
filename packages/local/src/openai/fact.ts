import { rounded, type Subject } from "./subject.ts";
import { hashOf } from "./token.ts";

/**
 * What is known of a subject under a property's name, or undefined: a string, a number, a boolean or a list of strings.
 * Names compare without case and separators, so `sizeBytes` is `size_bytes`.
 */
export function factNamed(name: string, subject: Subject): string | number | boolean | string[] | undefined {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  return subject.pictures.length > 0
    ? (pictureFact(plain, subject) ?? textFact(plain, subject))
    : textFact(plain, subject);
}

function pictureFact(name: string, subject: Subject) {
  const picture = subject.pictures[0];
  if (!picture) return undefined;
  if (/^(image|file)?(format|type)$/.test(name)) return picture.format;
  if (/^(mimetype|contenttype)$/.test(name)) return `image/${picture.format}`;
  if (/^(image)?width(px)?$/.test(name)) return picture.width;
  if (/^(image)?height(px)?$/.test(name)) return picture.height;
  if (/^(file|image)?size(inbytes|bytes)?$|^bytes$/.test(name)) return picture.sizeBytes;
  if (/^brightness$/.test(name)) return rounded(picture.brightness);
  if (/^warmth$/.test(name)) return rounded(picture.warmth);
  if (/^(dominant)?colou?rs$|^palette$/.test(name)) return picture.dominantColors;
  if (/^(dominant)?colou?r$/.test(name)) return picture.dominantColors[0];
  if (/^(key|visual)?elements$|^tags$|^labels$|^features$/.test(name)) return visualElementsOf(subject);
  // Neither objects nor lettering can be seen without a real model, and none are made up.
  if (/^(detected)?objects$/.test(name)) return [];
  if (/^(visible|extracted|detected)?text$|^ocr$/.test(name)) return "";
  if (/^(image)?count$|^images$/.test(name)) return subject.pictures.length;
  return undefined;
}

function textFact(name: string, subject: Subject) {
  const { sentiment } = subject;
  if (/sentiment|^mood$|^tone$|^polarity$|^emotion$/.test(name)) return sentiment.label;
  if (/confidence|^probability$|^certainty$/.test(name)) return sentiment.confidence;
  if (/^(sentiment)?score$/.test(name)) return rounded(sentiment.score);
  if (/^(is)?positive$/.test(name)) return sentiment.label === "positive";
  if (/^(is)?negative$/.test(name)) return sentiment.label === "negative";
  if (/phrases$|^keywords$|^topics$|^tags$|^(key)?elements$|^keypoints$/.test(name)) return subject.keyPhrases;
  if (/^word(s|count)$/.test(name)) return subject.wordCount;
  if (/^(description|summary|caption|answer|response|explanation|reason(ing)?|content|alttext|message)$/.test(name))
    return describe(subject);
  if (/^(title|topic|subject|headline)$/.test(name)) return subject.keyPhrases[0] ?? describe(subject);
  if (/^(text|input|original|quote)$/.test(name)) return subject.text;
  if (/city|location|place|country|^name$|person/.test(name)) return subject.properNames[0];
  return undefined;
}

export function visualElementsOf({ pictures }: Subject): string[] {
  return pictures.flatMap(({ dominantColors, brightness, format }) => [
    ...dominantColors.map((color) => `${color} areas`),
    `${lightOf(brightness)} light`,
    `${format} image`,
  ]);
}

function lightOf(brightness: number): string {
  return brightness > 0.6 ? "bright" : brightness < 0.3 ? "dim" : "even";
}

/** A sentence or two in plain English. `variant` tells the choices of one request apart. */
export function describe(subject: Subject, variant = 0): string {
  const { label, confidence } = subject.sentiment;
  if (subject.pictures.length > 0) {
    const sentences = subject.pictures.map(
      ({ format, width, height, sizeBytes, brightness, dominantColors }) =>
        `A ${format} image of ${width}×${height} pixels (${sizeBytes} bytes), mostly ${dominantColors.join(", ")}, with brightness ${rounded(brightness)}.`,
    );
    return `${sentences.join(" ")} It conveys a ${label} mood (confidence ${confidence}).`;
  }
  if (subject.text === "") return "The message has no text.";
  const openings = ["The text reads as", "This reads as", "I read the text as"];
  const phrases = subject.keyPhrases.map((phrase) => `“${phrase}”`).join(", ");
  const size = `${subject.wordCount} ${subject.wordCount === 1 ? "word" : "words"}`;
  return `${openings[variant % openings.length]} ${label} (confidence ${confidence}). It has ${size}${phrases ? `; key phrases: ${phrases}` : ""}.`;
}

/** A phrase of the input for a property about which nothing is known. */
export function phraseFor(name: string, subject: Subject): string {
  const phrases = subject.pictures.length > 0 ? visualElementsOf(subject) : subject.keyPhrases;
  return phrases[hashOf(name) % phrases.length] ?? name;
}
