import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { parsePrices } from "@tollgate/core/usage/price";
import { type Stage, startStage } from "./stage.ts";

const usage = `npm start [-- --fresh] · npm run dev [-- --fresh]

Runs the whole stage on this machine: API, functions, DynamoDB, SQS, S3 and a simulated OpenAI.

  --watch            rebuild a function when its source changes (npm run dev)
  --fresh            forget what earlier runs left in .local/
  --dir FOLDER       keep the state there instead of in .local/
  PORT               the API's port (3000; 0 for any)
  OPENAI_API_KEY     a key of yours: OpenAI itself answers, and bills
  OPENAI_BASE_URL    another server that speaks OpenAI's protocol, such as http://localhost:11434/v1 for Ollama
  DEFAULT_MODEL      the model of requests that name none (gpt-6-luna)
  PRICES             your own prices as JSON, in $ per 1M tokens: {"llama3.2": {"input": 0, "output": 0}}`;

const root = resolve(import.meta.dirname, "../../..");

function portOf(text: string | undefined): number {
  const port = text ? Number(text) : 3000;
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`PORT: "${text}" is no port. Give a number from 0 to 65535; 0 takes any that is free.`);
}

function baseUrlOf(text: string | undefined): string | undefined {
  if (!text) return undefined;
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw new Error(`OPENAI_BASE_URL: "${text}" is no address. Give one such as http://localhost:11434/v1.`);
}

const options = {
  watch: { type: "boolean", default: false },
  fresh: { type: "boolean", default: false },
  dir: { type: "string", default: ".local" },
  help: { type: "boolean", short: "h" },
} as const;

function readArguments() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  }
}

/** The first Ctrl-C stops the stage in order; the second gives up on order. */
function stopOnSignal(starting: Promise<Stage>): void {
  let asked = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, async () => {
      if (asked) process.exit(1);
      asked = true;
      console.error("\nstopping …");
      await starting.then(
        (stage) => stage.stop(),
        () => {},
      );
      process.exit(0);
    });
  }
}

async function main(): Promise<void> {
  const { watch, fresh, dir, help } = readArguments();
  if (help) return console.log(usage);
  const { PORT, OPENAI_API_KEY, OPENAI_BASE_URL, DEFAULT_MODEL, PRICES } = process.env;
  if (PRICES) parsePrices(PRICES);
  const port = portOf(PORT);
  const starting = startStage({
    root,
    dir: resolve(root, dir),
    port,
    fresh,
    openai: { apiKey: OPENAI_API_KEY || undefined, baseUrl: baseUrlOf(OPENAI_BASE_URL) },
    environment: { ...(DEFAULT_MODEL && { DEFAULT_MODEL }), ...(PRICES && { PRICES }) },
    log: (source, line) => console.error(`${source}  ${line}`),
    watch: watch ? (message) => console.error(message) : undefined,
    progress: (step) => console.error(`… ${step}`),
  });
  stopOnSignal(starting);
  const { info } = await starting.catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    throw new Error(
      `Port ${port} is taken. Choose another: PORT=${port + 1} npm start; PORT=0 takes any that is free.`,
    );
  });
  console.error(
    `The API key is ${info.api_key} (owner "local"). Endpoints and credentials: ${dir}/stage.json. Ctrl-C stops.`,
  );
  console.log(`ready ${info.api}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
