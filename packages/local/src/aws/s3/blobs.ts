import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";

export type Blobs = ReturnType<typeof createBlobs>;

/** Files of bytes that are written once and never changed; a new content is a new file under a new name. */
export function createBlobs(dir: string) {
  const fileOf = (name: string) => path.join(dir, name);
  return {
    /** Writes a stream to a new file; one that fails leaves none behind. */
    async write(source: AsyncIterable<Buffer>): Promise<{ blob: string; sizeBytes: number }> {
      const blob = crypto.randomUUID();
      const file = await open(fileOf(blob), "wx");
      try {
        let sizeBytes = 0;
        for await (const chunk of source) {
          await file.writeFile(chunk);
          sizeBytes += chunk.length;
        }
        return { blob, sizeBytes };
      } catch (error) {
        await rm(fileOf(blob), { force: true });
        throw error;
      } finally {
        await file.close();
      }
    },

    /** Null when the file is gone: its object was replaced since it was looked up. */
    async open(name: string): Promise<FileHandle | null> {
      try {
        return await open(fileOf(name), "r");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw error;
      }
    },

    /** From byte `start` to byte `end`, both included. */
    read: (name: string, range: { start?: number; end?: number } = {}): Readable =>
      createReadStream(fileOf(name), range),

    async remove(names: string[]): Promise<void> {
      await Promise.all(names.map((name) => rm(fileOf(name), { force: true })));
    },

    /** Makes the folder, and removes what a killed process left: files that nothing refers to. */
    async prepare(referred: Set<string>): Promise<void> {
      await mkdir(dir, { recursive: true });
      const names = await readdir(dir);
      await this.remove(names.filter((name) => !referred.has(name)));
    },
  };
}
