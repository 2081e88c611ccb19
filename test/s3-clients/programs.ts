import { accessSync, constants } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");

/** Where `npm run s3-clients` puts them: gone with node_modules, and known to no other project. */
export const clientsDir = path.join(root, "node_modules/.cache/s3-clients");

/** A client's path, in that folder or else on PATH; null when it is in neither. */
export function findClient(name: string): string | null {
  const folders = [path.join(clientsDir, "bin"), ...(process.env.PATH ?? "").split(path.delimiter)];
  return folders.map((folder) => path.join(folder, name)).find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
