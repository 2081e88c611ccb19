// Imported before anything that imports OpenAI's client.
import { replaceWebGlobals } from "@tollgate/core/openai/web";

replaceWebGlobals();
