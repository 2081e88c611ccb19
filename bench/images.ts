// npm run bench:images: the memory of the function that analyses uploads, with one photograph of 20 MB and with a batch of them.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { readManifest } from "@tollgate/local/manifest";
import { table } from "@tollgate/local/table";
import sharp from "sharp";
import { type Measured, measure } from "./images/measure.ts";
import { photograph } from "./images/photograph.ts";

const usage = `npm run bench:images [-- --batch 10] [--memory 512] [--megabytes 20]

One photograph, and then --batch of them at once, through S3, queue and function on a stage of its own: sent as they are, and
shrunk (SHRINK_IMAGES=true). All that OpenAI is asked is answered when the whole batch has been sent. --batch and --memory are
those of infra/manifest.json when left out.
Linux only. Ends with status 1 when a peak is above the function's memory.`;

const options = {
  batch: { type: "string" },
  memory: { type: "string" },
  megabytes: { type: "string", default: "20" },
  help: { type: "boolean", short: "h" },
} as const;

const root = resolve(import.meta.dirname, "..");
const MB = 1024 * 1024;

interface Row {
  images: number;
  shrink: boolean;
  measured: Measured;
}

function report(rows: Row[], imageBytes: number, memoryMb: number): string {
  const mb = (bytes: number) => (bytes / MB).toFixed(1);
  return table(
    rows.map(({ images, shrink, measured }) => {
      const { beforeBytes, peakBytes, sentBytes, invocationMs, cpuMs } = measured;
      return {
        images,
        shrunk: shrink ? "yes" : null,
        "image MB": mb(imageBytes),
        "before MB": mb(beforeBytes),
        "peak MB": mb(peakBytes),
        "growth ÷ images": ((peakBytes - beforeBytes) / (images * imageBytes)).toFixed(2),
        "of memory": `${((100 * peakBytes) / (memoryMb * MB)).toFixed(0)} %`,
        "sent MB an image": (sentBytes / images / MB).toFixed(2),
        "ms an image": (invocationMs / images).toFixed(0),
        "CPU ms an image": (cpuMs / images).toFixed(0),
      };
    }),
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(usage);
  const { functions, eventSourceMappings } = readManifest(root);
  const mapping = eventSourceMappings.find(({ queue }) => queue === "ImageUploadedQueue");
  const batch = Number(values.batch ?? mapping?.batchSize);
  const memoryMb = Number(values.memory ?? functions.ImageUploaded?.memoryMb);
  const maxBytes = Number(values.megabytes) * MB;
  if (!Number.isInteger(batch) || batch < 1 || !Number.isInteger(memoryMb) || memoryMb < 128 || !(maxBytes > 0)) {
    throw new Error(`--batch and --memory are whole numbers, --megabytes is a number above 0.\n\n${usage}`);
  }
  const stopping = new AbortController();
  process.once("SIGINT", () => {
    console.error("\nstopping …");
    stopping.abort(new Error("Stopped."));
  });
  const progress = (step: string) => process.stderr.write(`… ${step}\n`);
  progress("taking the photograph");
  const image = await photograph(root, maxBytes);
  const small = await sharp(image).resize(1_600).jpeg().toBuffer();
  const rows: Row[] = [];
  for (const shrink of [false, true]) {
    for (const images of new Set([1, batch])) {
      progress(`${images} at once${shrink ? ", shrunk" : ""}`);
      const measured = await measure({ root, image, small, images, memoryMb, shrink, signal: stopping.signal });
      rows.push({ images, shrink, measured });
    }
  }
  console.log(report(rows, image.length, memoryMb));
  if (rows.some(({ measured }) => measured.peakBytes > memoryMb * MB)) process.exitCode = 1;
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
