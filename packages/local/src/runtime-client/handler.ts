import { existsSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { runtimeError } from "./error.ts";
import { isStreaming } from "./response-stream.ts";

export type Handler = (...args: unknown[]) => unknown;

/**
 * Imports the function's module and finds its handler in it.
 *
 * @param taskRoot `LAMBDA_TASK_ROOT`
 * @param name `_HANDLER`: path without extension, a dot, the export's name
 * @throws Error named as Lambda names it: `Runtime.ImportModuleError`, `Runtime.HandlerNotFound`, …
 */
export async function loadHandler(taskRoot: string, name: string): Promise<Handler> {
  const [, fileName, exportName] = /^([^.]*)\.(.+)$/.exec(path.basename(name)) ?? [];
  if (fileName === undefined || exportName === undefined || name.includes("..")) {
    throw runtimeError("Runtime.MalformedHandlerName", `Bad handler: ${name}`);
  }
  const module = await importModule(path.resolve(taskRoot, path.dirname(name), fileName));
  const handler = exportName.split(".").reduce(property, module) ?? property(property(module, "default"), exportName);
  if (typeof handler !== "function") {
    throw runtimeError(
      "Runtime.HandlerNotFound",
      `${name} is ${handler === undefined ? "undefined or not exported" : "not a function"}`,
    );
  }
  if (handler.length >= 3 && !isStreaming(handler)) {
    throw runtimeError(
      "Runtime.CallbackHandlerDeprecated",
      `${name} takes a callback, which Lambda no longer calls from Node.js 24 on: make it an async function`,
    );
  }
  return handler as Handler;
}

async function importModule(withoutExtension: string): Promise<unknown> {
  const file = ["", ".js", ".mjs", ".cjs"].map((extension) => withoutExtension + extension).find(existsSync);
  if (file === undefined) {
    throw runtimeError("Runtime.ImportModuleError", `Error: Cannot find module '${withoutExtension}'`);
  }
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    if (error instanceof SyntaxError) throw runtimeError("Runtime.UserCodeSyntaxError", String(error), error.stack);
    // Of `require`; an `import` of what is missing has ERR_MODULE_NOT_FOUND, which is passed on as it is.
    const missing = error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND";
    throw missing ? runtimeError("Runtime.ImportModuleError", String(error)) : error;
  }
}

function property(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
