import { DatabaseSync } from "node:sqlite";
import { inTransaction } from "../sqlite.ts";
import type { Checksum, ChecksumAlgorithm } from "./checksum.ts";

export interface StoredObject {
  bucket: string;
  key: string;
  /** The file that holds the bytes. */
  blob: string;
  sizeBytes: number;
  /** Without its quotes. */
  etag: string;
  modifiedMs: number;
  /** As they are given back with the object: `content-type`, `x-amz-meta-…`. */
  headers: Record<string, string>;
  checksum: Checksum | null;
}

export interface MultipartUpload {
  id: string;
  bucket: string;
  key: string;
  headers: Record<string, string>;
  algorithm: ChecksumAlgorithm | null;
  /** Whether the checksum is to be that of the whole object, and not of its parts' checksums. */
  fullObject: boolean;
  initiatedMs: number;
}

export interface Part {
  number: number;
  blob: string;
  sizeBytes: number;
  /** MD5 in hex, which is the part's ETag too. */
  md5: string;
  checksum: Checksum | null;
  modifiedMs: number;
}

/** A message that still has to reach its queue. */
export interface OutboxEntry {
  id: number;
  queue: string;
  message: string;
}
export type NewOutboxEntry = Omit<OutboxEntry, "id">;

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, key TEXT NOT NULL, blob TEXT NOT NULL, size_bytes INTEGER NOT NULL, etag TEXT NOT NULL,
    modified_ms INTEGER NOT NULL, headers TEXT NOT NULL, checksum TEXT NOT NULL, PRIMARY KEY (bucket, key)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, headers TEXT NOT NULL, algorithm TEXT,
    full_object INTEGER NOT NULL, initiated_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS parts (
    upload_id TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE, number INTEGER NOT NULL, blob TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, md5 TEXT NOT NULL, checksum TEXT NOT NULL, modified_ms INTEGER NOT NULL,
    PRIMARY KEY (upload_id, number)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, message TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS notifications (bucket TEXT NOT NULL, queue TEXT NOT NULL, PRIMARY KEY (bucket, queue)) STRICT;
  CREATE TABLE IF NOT EXISTS sequence (last INTEGER NOT NULL) STRICT;
`;

const objectColumns = "bucket, key, blob, size_bytes AS sizeBytes, etag, modified_ms AS modifiedMs, headers, checksum";

const uploadColumns = "id, bucket, key, headers, algorithm, full_object AS fullObject, initiated_ms AS initiatedMs";

export type S3Store = ReturnType<typeof openStore>;

/**
 * What S3 knows of its objects, in one SQLite file; their bytes lie in files of their own. An object becomes visible and its
 * events enter the outbox in one transaction, so that neither can be without the other, whenever the process is killed.
 * Keys sort by their UTF-8 bytes, as S3 lists them.
 */
export function openStore(file: string) {
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: true });
  db.exec(schema);
  const sql = {
    object: db.prepare(`SELECT ${objectColumns} FROM objects WHERE bucket = ? AND key = ?`),
    objectsFrom: db.prepare(`SELECT ${objectColumns} FROM objects WHERE bucket = ? AND key >= ? ORDER BY key LIMIT ?`),
    putObject: db.prepare("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
    deleteObject: db.prepare("DELETE FROM objects WHERE bucket = ? AND key = ?"),
    upload: db.prepare(`SELECT ${uploadColumns} FROM uploads WHERE id = ?`),
    uploads: db.prepare(`SELECT ${uploadColumns} FROM uploads WHERE bucket = ? ORDER BY key`),
    putUpload: db.prepare("INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?)"),
    deleteUpload: db.prepare("DELETE FROM uploads WHERE id = ?"),
    parts: db.prepare(
      `SELECT number, blob, size_bytes AS sizeBytes, md5, checksum, modified_ms AS modifiedMs FROM parts
        WHERE upload_id = ? ORDER BY number`,
    ),
    putPart: db.prepare("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)"),
    blobs: db.prepare("SELECT blob FROM objects UNION ALL SELECT blob FROM parts"),
    outbox: db.prepare("SELECT id, queue, message FROM outbox ORDER BY id"),
    addToOutbox: db.prepare("INSERT INTO outbox (queue, message) VALUES (?, ?)"),
    removeFromOutbox: db.prepare("DELETE FROM outbox WHERE id = ?"),
    addNotification: db.prepare("INSERT OR IGNORE INTO notifications VALUES (?, ?)"),
    lastSequence: db.prepare("SELECT last FROM sequence"),
    startSequence: db.prepare("INSERT INTO sequence SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM sequence)"),
    saveSequence: db.prepare("UPDATE sequence SET last = ?"),
  };
  sql.startSequence.run();

  function object(bucket: string, key: string): StoredObject | null {
    const row = sql.object.get(bucket, key);
    return row ? toObject(row) : null;
  }

  /** Sixteen or more hex digits, growing with every write, also over restarts and a clock that is set back. */
  function nextSequencer(): string {
    const last = Number(sql.lastSequence.get()?.last);
    const next = Math.max(last + 1, Date.now() * 1000);
    sql.saveSequence.run(next);
    return next.toString(16).toUpperCase().padStart(18, "0");
  }

  return {
    object,

    /** Up to `limit` objects from `key` on, that key included. */
    objectsFrom: (bucket: string, key: string, limit: number): StoredObject[] =>
      sql.objectsFrom.all(bucket, key, limit).map(toObject),

    /**
     * Makes an object visible, with the events it causes, and ends the upload that it came from. `check` sees the object that
     * stands there now and may throw. Returns the blobs that nothing refers to any more.
     */
    putObject(
      put: StoredObject,
      eventsOf: (sequencer: string) => NewOutboxEntry[],
      options: { check?: (existing: StoredObject | null) => void; uploadId?: string } = {},
    ): string[] {
      return inTransaction(db, () => {
        const existing = object(put.bucket, put.key);
        options.check?.(existing);
        const { bucket, key, blob, sizeBytes, etag, modifiedMs } = put;
        const texts = [JSON.stringify(put.headers), JSON.stringify(put.checksum)] as const;
        sql.putObject.run(bucket, key, blob, sizeBytes, etag, modifiedMs, ...texts);
        for (const { queue, message } of eventsOf(nextSequencer())) sql.addToOutbox.run(queue, message);
        const unused = existing ? [existing.blob] : [];
        if (options.uploadId !== undefined) {
          unused.push(...sql.parts.all(options.uploadId).map((row) => String(row.blob)));
          sql.deleteUpload.run(options.uploadId);
        }
        return unused;
      });
    },

    /** The blob that nothing refers to any more, or null when there was no such object. */
    deleteObject(bucket: string, key: string): string | null {
      const existing = object(bucket, key);
      sql.deleteObject.run(bucket, key);
      return existing?.blob ?? null;
    },

    upload(id: string): MultipartUpload | null {
      const row = sql.upload.get(id);
      return row ? toUpload(row) : null;
    },
    uploads: (bucket: string): MultipartUpload[] => sql.uploads.all(bucket).map(toUpload),
    parts: (uploadId: string): Part[] => sql.parts.all(uploadId).map(toPart),
    putUpload({ id, bucket, key, headers, algorithm, fullObject, initiatedMs }: MultipartUpload): void {
      sql.putUpload.run(id, bucket, key, JSON.stringify(headers), algorithm, Number(fullObject), initiatedMs);
    },
    putPart(uploadId: string, { number, blob, sizeBytes, md5, checksum, modifiedMs }: Part): void {
      sql.putPart.run(uploadId, number, blob, sizeBytes, md5, JSON.stringify(checksum), modifiedMs);
    },
    /** Returns the blobs that nothing refers to any more. */
    deleteUpload(id: string): string[] {
      const unused = sql.parts.all(id).map((row) => String(row.blob));
      sql.deleteUpload.run(id);
      return unused;
    },

    blobs: (): Set<string> => new Set(sql.blobs.all().map((row) => String(row.blob))),

    outbox: (): OutboxEntry[] =>
      sql.outbox
        .all()
        .map(({ id, queue, message }) => ({ id: Number(id), queue: String(queue), message: String(message) })),
    removeFromOutbox: (id: number) => void sql.removeFromOutbox.run(id),

    /** Remembers that a bucket notifies a queue; the first time it puts `testEvent` into the outbox. */
    announceNotification(bucket: string, queue: string, testEvent: string): void {
      inTransaction(db, () => {
        if (sql.addNotification.run(bucket, queue).changes > 0) sql.addToOutbox.run(queue, testEvent);
      });
    },

    close: () => db.close(),
  };
}

type Row = Record<string, unknown>;

function toObject(row: Row): StoredObject {
  const headers = JSON.parse(String(row.headers));
  return { ...(row as unknown as StoredObject), headers, checksum: JSON.parse(String(row.checksum)) };
}

function toUpload(row: Row): MultipartUpload {
  const headers = JSON.parse(String(row.headers));
  return { ...(row as unknown as MultipartUpload), headers, fullObject: row.fullObject === 1 };
}

function toPart(row: Row): Part {
  return { ...(row as unknown as Part), checksum: JSON.parse(String(row.checksum)) };
}
