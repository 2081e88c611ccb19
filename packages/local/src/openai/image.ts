import sharp from "sharp";
import { badRequest, isOpenAIError } from "./error.ts";
import type { Detail, ImagePart } from "./message.ts";

/** A decoded picture: what a simulated answer can honestly say of it. */
export interface Picture {
  format: string;
  /** In pixels, as stored (before any rotation that EXIF asks for). */
  width: number;
  height: number;
  sizeBytes: number;
  /** Mean luminance (Rec. 709 weights), 0 black to 1 white. */
  brightness: number;
  /** Mean of red less blue, -1 to 1. */
  warmth: number;
  /** Names of at most three colours, the commonest first. */
  dominantColors: string[];
  detail: Detail;
  /** Equal for equal pixels: what the prompt cache compares. */
  fingerprint: number;
}

const MAX_IMAGE_BYTES = 20 * 1024 * 1024;
const DOWNLOAD_TIMEOUT_MS = 5000;
const FORMATS = ["png", "jpeg", "gif", "webp"];
const FORMAT_LIST = "['png', 'jpeg', 'gif', 'webp']";
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/** @throws OpenAIError 400, as OpenAI refuses a picture */
export async function loadPicture(part: ImagePart): Promise<Picture> {
  const bytes = part.url.startsWith("data:") ? decodeDataUrl(part) : await download(part);
  if (bytes.length > MAX_IMAGE_BYTES)
    throw badRequest(
      `You uploaded an unsupported image. Please make sure your image is below 20 MB in size and is of one the following formats: ${FORMAT_LIST}.`,
      part.path,
      "image_file_too_large",
    );
  return inspect(bytes, part);
}

function decodeDataUrl({ url, path }: ImagePart): Buffer {
  const comma = url.indexOf(",");
  const [mime = "", ...attributes] = url.slice("data:".length, Math.max(comma, 0)).split(";");
  if (comma < 0 || attributes.at(-1) !== "base64") throw notABase64Url(path, "an invalid data URL");
  if (!mime.startsWith("image/")) throw notABase64Url(path, `unsupported MIME type '${mime}'`);
  const payload = url.slice(comma + 1);
  if (payload.length === 0 || payload.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(payload))
    throw notABase64Url(path, "an invalid base64-encoded value", "invalid_base64_image");
  return Buffer.from(payload, "base64");
}

function notABase64Url(path: string, got: string, code = "invalid_value") {
  return badRequest(
    `Invalid '${path}.url'. Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got ${got}.`,
    `${path}.url`,
    code,
  );
}

/** Loopback only: anything else answers as if OpenAI could not reach it, so that no test ever leaves the machine. */
async function download({ url, path }: ImagePart): Promise<Buffer> {
  if (!/^https?:/i.test(url)) throw notABase64Url(path, "a value without the 'data:' prefix");
  const refusal = badRequest(`Error while downloading ${url}.`, null, "invalid_image_url");
  if (!URL.canParse(url) || !LOOPBACK.includes(new URL(url).hostname)) throw refusal;
  try {
    // A redirect could lead off the machine.
    const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) });
    if (!response.ok) throw refusal;
    return await readAtMost(response, MAX_IMAGE_BYTES + 1);
  } catch {
    throw refusal;
  }
}

async function readAtMost(response: Response, limitBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes >= limitBytes) break;
  }
  return Buffer.concat(chunks);
}

async function inspect(bytes: Buffer, { path, detail }: ImagePart): Promise<Picture> {
  try {
    const { format, width, height, pages } = await sharp(bytes, { animated: true }).metadata();
    if (!FORMATS.includes(format) || (format === "gif" && (pages ?? 1) > 1)) throw unsupportedFormat(path);
    // The whole picture is decoded, so that a truncated one is found.
    const decoded = sharp(bytes, { failOn: "error" }).flatten({ background: "white" }).toColourspace("srgb");
    const sample = await decoded.resize(SAMPLE_SIDE, SAMPLE_SIDE, { fit: "fill" }).raw().toBuffer();
    const [red, green, blue] = meanOf(sample);
    return {
      format,
      width,
      height: pages && pages > 1 ? height / pages : height,
      sizeBytes: bytes.length,
      brightness: (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255,
      warmth: (red - blue) / 255,
      dominantColors: dominantColorsOf(sample),
      detail,
      fingerprint: sample.reduce((hash, byte) => Math.imul(hash ^ byte, 16_777_619), bytes.length),
    };
  } catch (error) {
    if (isOpenAIError(error)) throw error;
    // sharp says only in English why it failed; a file that starts as no known format does is a wrong format.
    if (/unsupported image format/i.test(String(error))) throw unsupportedFormat(path);
    throw badRequest(
      "You uploaded an unsupported image. Please make sure your image is valid.",
      path,
      "image_parse_error",
    );
  }
}

function unsupportedFormat(path: string) {
  return badRequest(
    `You uploaded an unsupported image. Please make sure your image has of one the following formats: ${FORMAT_LIST}.`,
    path,
    "invalid_image_format",
  );
}

/** Colours are judged on a picture shrunk to this many pixels a side. */
const SAMPLE_SIDE = 32;

type Rgb = readonly [number, number, number];

const PALETTE: Record<string, Rgb> = {
  black: [0, 0, 0],
  gray: [128, 128, 128],
  white: [255, 255, 255],
  red: [220, 20, 30],
  orange: [250, 140, 20],
  yellow: [250, 230, 50],
  green: [40, 150, 50],
  cyan: [40, 200, 210],
  blue: [30, 70, 210],
  purple: [130, 40, 160],
  pink: [250, 150, 190],
  brown: [120, 75, 40],
  beige: [225, 205, 170],
};

function* pixelsOf(sample: Buffer): Generator<Rgb> {
  for (let at = 0; at + 2 < sample.length; at += 3) yield [sample[at] ?? 0, sample[at + 1] ?? 0, sample[at + 2] ?? 0];
}

function meanOf(sample: Buffer): Rgb {
  let [red, green, blue] = [0, 0, 0];
  for (const pixel of pixelsOf(sample)) {
    red += pixel[0];
    green += pixel[1];
    blue += pixel[2];
  }
  const count = sample.length / 3;
  return [red / count, green / count, blue / count];
}

/** Up to three named colours, each on at least a tenth of the picture unless it is the commonest. */
function dominantColorsOf(sample: Buffer): string[] {
  const counts = new Map<string, number>();
  for (const pixel of pixelsOf(sample)) {
    const name = nearestColor(pixel);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const byCount = [...counts].sort((a, b) => b[1] - a[1]);
  return byCount
    .filter(([, count], index) => index === 0 || count >= sample.length / 30)
    .slice(0, 3)
    .map(([name]) => name);
}

function nearestColor([red, green, blue]: Rgb): string {
  let nearest = "black";
  let least = Infinity;
  for (const [name, [r, g, b]] of Object.entries(PALETTE)) {
    const distance = (red - r) ** 2 + (green - g) ** 2 + (blue - b) ** 2;
    if (distance < least) [nearest, least] = [name, distance];
  }
  return nearest;
}
