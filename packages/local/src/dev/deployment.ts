import { globSync, readFileSync } from "node:fs";
import path from "node:path";

const manifest = path.join("infra", "manifest.json");

/** Each call says which files of the deployment have changed since the call before, and what to do: the stage read them at its start. */
export function watchDeployment(root: string): () => string | null {
  const read = () =>
    new Map(
      globSync(["infra/**/*.{ts,json}", "sst.config.ts"], { cwd: root }).map((file) => [file, contentOf(root, file)]),
    );
  let known = read();

  return () => {
    const now = read();
    const files = [...new Set([...known.keys(), ...now.keys()])].sort();
    const changed = files.filter((file) => known.get(file) !== now.get(file));
    known = now;
    if (changed.length === 0) return null;
    const restart = "stop the stage and start it again";
    const todo = changed.includes(manifest) ? restart : `run npm run synth, then ${restart}`;
    return `${changed.join(", ")} changed, and the stage runs as it was declared when it started: ${todo}`;
  };
}

function contentOf(root: string, file: string): string | null {
  try {
    return readFileSync(path.join(root, file), "utf8");
  } catch {
    return null;
  }
}
