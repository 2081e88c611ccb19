import { type FSWatcher, readdirSync, watch } from "node:fs";
import path from "node:path";

/** Notices changes to the files in some folders. */
export interface FolderWatch {
  /** Watches new folders, too, and no longer those that are gone. */
  refresh(): void;
  close(): void;
}

/**
 * Watches the root's own files, and everything below some of its folders but packages and hidden folders. `onChange` may be called
 * several times for one change, and when nothing has changed.
 *
 * Folder by folder: on Linux, Node's own recursive watch no longer hears of a file once an editor has saved it by renaming another
 * file to it (tried with Node 24.21.0, November 2026).
 */
export function watchFolders(root: string, below: () => Iterable<string>, onChange: () => void): FolderWatch {
  let watchers: FSWatcher[] = [];

  function watchOne(folder: string, isRelevant: (name: string) => boolean): void {
    try {
      const watcher = watch(folder, (_event, name) => {
        if (name === null || isRelevant(name)) onChange();
      });
      watchers.push(watcher);
      // The folder is gone.
      watcher.on("error", onChange);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }

  function refresh(): void {
    const old = watchers;
    watchers = [];
    try {
      watchOne(root, isSource);
      for (const name of below())
        for (const folder of foldersBelow(path.join(root, name))) watchOne(folder, () => true);
    } catch (error) {
      // The system allows no more watches: the old ones go on.
      for (const watcher of watchers) watcher.close();
      watchers = old;
      throw error;
    }
    // The new ones watch already, so that no change is missed.
    for (const watcher of old) watcher.close();
  }

  refresh();
  return {
    refresh,
    close() {
      for (const watcher of watchers.splice(0)) watcher.close();
    },
  };
}

/** A log that grows in the root is no source. */
const isSource = (name: string) => /\.([cm]?[jt]sx?|json)$/.test(name);

function foldersBelow(folder: string): string[] {
  try {
    const own = readdirSync(folder, { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith("."),
    );
    return [folder, ...own.flatMap(({ name }) => foldersBelow(path.join(folder, name)))];
  } catch {
    // The folder does not exist, or no longer.
    return [];
  }
}
