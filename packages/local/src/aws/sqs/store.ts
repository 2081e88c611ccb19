import { randomBytes, randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { inTransaction } from "../sqlite.ts";
import type { MessageAttributes } from "./attributes.ts";

export interface Queue {
  name: string;
  visibilityTimeoutSeconds: number;
  retentionSeconds: number;
  delaySeconds: number;
  receiveWaitSeconds: number;
  maxMessageBytes: number;
  /** As SQS takes it, a JSON text with `deadLetterTargetArn` and `maxReceiveCount`; null without a dead-letter queue. */
  redrivePolicy: string | null;
  createdMs: number;
  modifiedMs: number;
}

export interface StoredMessage {
  id: number;
  queue: string;
  messageId: string;
  body: string;
  attributes: MessageAttributes;
  sentMs: number;
  visibleAtMs: number;
  receiveCount: number;
  firstReceivedMs: number | null;
  receiptHandle: string | null;
  /** The queue that gave the message up; null unless it lies in a dead-letter queue. */
  deadLetterSource: string | null;
}

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS queues (name TEXT PRIMARY KEY, settings TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL REFERENCES queues (name) ON DELETE CASCADE,
    message_id TEXT NOT NULL,
    body TEXT NOT NULL,
    attributes TEXT NOT NULL,
    sent_ms INTEGER NOT NULL,
    visible_at_ms INTEGER NOT NULL,
    receive_count INTEGER NOT NULL DEFAULT 0,
    first_received_ms INTEGER,
    receipt_handle TEXT,
    dead_letter_source TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS messages_by_visibility ON messages (queue, visible_at_ms);
`;

const columns = `id, queue, message_id AS messageId, body, attributes, sent_ms AS sentMs, visible_at_ms AS visibleAtMs,
  receive_count AS receiveCount, first_received_ms AS firstReceivedMs, receipt_handle AS receiptHandle,
  dead_letter_source AS deadLetterSource`;

export type SqsStore = ReturnType<typeof openStore>;

/**
 * Queues and messages in one SQLite file. A message is in flight while its `visibleAtMs` lies ahead, an absolute time, so that
 * a message whose consumer or whole stage was killed comes back when its visibility ends and not earlier or never.
 */
export function openStore(file: string, now: () => number = Date.now) {
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: true });
  db.exec(schema);
  const sql = {
    queue: db.prepare("SELECT settings FROM queues WHERE name = ?"),
    queues: db.prepare("SELECT settings FROM queues ORDER BY name"),
    saveQueue: db.prepare(
      "INSERT INTO queues (name, settings) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET settings = excluded.settings",
    ),
    deleteQueue: db.prepare("DELETE FROM queues WHERE name = ?"),
    purge: db.prepare("DELETE FROM messages WHERE queue = ?"),
    send: db.prepare(
      "INSERT INTO messages (queue, message_id, body, attributes, sent_ms, visible_at_ms) VALUES (?, ?, ?, ?, ?, ?)",
    ),
    expire: db.prepare("DELETE FROM messages WHERE queue = ? AND sent_ms <= ?"),
    visible: db.prepare(`SELECT ${columns} FROM messages WHERE queue = ? AND visible_at_ms <= ? ORDER BY id LIMIT ?`),
    visibleInAnyOrder: db.prepare(
      `SELECT ${columns} FROM messages WHERE queue = ? AND visible_at_ms <= ? ORDER BY receipt_handle, message_id LIMIT ?`,
    ),
    receive: db.prepare(
      `UPDATE messages SET visible_at_ms = ?, receive_count = receive_count + 1, receipt_handle = ?,
        first_received_ms = coalesce(first_received_ms, ?) WHERE id = ? RETURNING ${columns}`,
    ),
    move: db.prepare(
      "UPDATE messages SET queue = ?, dead_letter_source = ?, visible_at_ms = ?, receipt_handle = NULL WHERE id = ?",
    ),
    redrive: db.prepare(
      `UPDATE messages SET queue = coalesce(?, dead_letter_source), dead_letter_source = NULL, receive_count = 0,
        visible_at_ms = ?, receipt_handle = NULL
        WHERE queue = ? AND visible_at_ms <= ? AND coalesce(?, dead_letter_source) IN (SELECT name FROM queues)`,
    ),
    delete: db.prepare("DELETE FROM messages WHERE queue = ? AND receipt_handle = ?"),
    byHandle: db.prepare(`SELECT ${columns} FROM messages WHERE queue = ? AND receipt_handle = ?`),
    setVisibility: db.prepare("UPDATE messages SET visible_at_ms = ? WHERE id = ?"),
    returnAll: db.prepare("UPDATE messages SET visible_at_ms = ? WHERE queue = ? AND visible_at_ms > ?"),
    nextVisible: db.prepare("SELECT min(visible_at_ms) AS at FROM messages WHERE queue = ?"),
    counts: db.prepare(
      `SELECT count(*) FILTER (WHERE visible_at_ms <= ?1) AS visible,
        count(*) FILTER (WHERE visible_at_ms > ?1 AND receipt_handle IS NOT NULL) AS inFlight,
        count(*) FILTER (WHERE visible_at_ms > ?1 AND receipt_handle IS NULL) AS delayed
        FROM messages WHERE queue = ?2`,
    ),
  };

  function queue(name: string): Queue | undefined {
    const row = sql.queue.get(name);
    return row && (JSON.parse(String(row.settings)) as Queue);
  }

  return {
    queue,
    queues: (): Queue[] => sql.queues.all().map((row) => JSON.parse(String(row.settings)) as Queue),
    saveQueue: (settings: Queue) => void sql.saveQueue.run(settings.name, JSON.stringify(settings)),
    deleteQueue: (name: string) => void sql.deleteQueue.run(name),
    purge: (name: string) => void sql.purge.run(name),

    send(to: Queue, body: string, attributes: MessageAttributes, delaySeconds = to.delaySeconds): string {
      const messageId = randomUUID();
      const sentMs = now();
      sql.send.run(to.name, messageId, body, JSON.stringify(attributes), sentMs, sentMs + delaySeconds * 1000);
      return messageId;
    },

    /** At most `limit` visible messages, now in flight. Those received too often go to the dead-letter queue instead. */
    receive(from: Queue, limit: number, visibilityTimeoutSeconds: number, reordered = false): StoredMessage[] {
      const nowMs = now();
      if (Number(sql.nextVisible.get(from.name)?.at ?? Number.POSITIVE_INFINITY) > nowMs) return [];
      return inTransaction(db, () => {
        sql.expire.run(from.name, nowMs - from.retentionSeconds * 1000);
        const deadLetter = deadLetterOf(from);
        const received: StoredMessage[] = [];
        while (received.length < limit) {
          const inOrder = reordered ? sql.visibleInAnyOrder : sql.visible;
          const visible = inOrder.all(from.name, nowMs, limit - received.length);
          if (visible.length === 0) break;
          for (const row of visible) {
            const id = Number(row.id);
            if (deadLetter && Number(row.receiveCount) >= deadLetter.maxReceiveCount && queue(deadLetter.queue)) {
              sql.move.run(deadLetter.queue, from.name, nowMs, id);
              continue;
            }
            const visibleAtMs = nowMs + visibilityTimeoutSeconds * 1000;
            received.push(fromRow(sql.receive.get(visibleAtMs, newReceiptHandle(), nowMs, id)));
          }
          // With no visibility timeout the same messages would be found again.
          if (visibilityTimeoutSeconds === 0) break;
        }
        return received;
      });
    },

    delete: (from: Queue, receiptHandle: string) => void sql.delete.run(from.name, receiptHandle),

    /** False when the message is not in flight under this receipt handle. */
    changeVisibility(of: Queue, receiptHandle: string, visibilityTimeoutSeconds: number): boolean {
      const row = sql.byHandle.get(of.name, receiptHandle);
      if (!row || Number(row.visibleAtMs) <= now()) return false;
      sql.setVisibility.run(now() + visibilityTimeoutSeconds * 1000, Number(row.id));
      return true;
    },

    /** Makes every message visible, those in flight too. */
    returnAll: (to: string) => void sql.returnAll.run(now(), to, now()),

    /** Moves a dead-letter queue's visible messages to `destination`, or each to where it came from; returns how many. */
    redrive(from: Queue, destination: string | null): number {
      const nowMs = now();
      return Number(sql.redrive.run(destination, nowMs, from.name, nowMs, destination).changes);
    },

    /** When the next message of the queue is or becomes visible; null for an empty queue. */
    nextVisibleMs(of: Queue): number | null {
      const at = sql.nextVisible.get(of.name)?.at;
      return typeof at === "number" ? at : null;
    },

    counts(of: Queue) {
      sql.expire.run(of.name, now() - of.retentionSeconds * 1000);
      const row = sql.counts.get(now(), of.name);
      return { visible: Number(row?.visible), inFlight: Number(row?.inFlight), delayed: Number(row?.delayed) };
    },

    close: () => db.close(),
  };
}

export function deadLetterOf(queue: Queue): { queue: string; maxReceiveCount: number } | null {
  if (queue.redrivePolicy === null) return null;
  const policy = JSON.parse(queue.redrivePolicy) as { deadLetterTargetArn: string; maxReceiveCount: number | string };
  return { queue: queueNameOf(policy.deadLetterTargetArn), maxReceiveCount: Number(policy.maxReceiveCount) };
}

/** `arn:aws:sqs:us-east-1:123456789012:name` and `http://host/123456789012/name` → `name`. */
export function queueNameOf(arnOrUrl: string): string {
  return arnOrUrl.split(/[:/]/).at(-1) ?? "";
}

/** SQS's are opaque texts too; these can be told from anything else. */
export const receiptHandlePattern = /^[A-Za-z0-9_-]{64}$/;

function newReceiptHandle(): string {
  return randomBytes(48).toString("base64url");
}

function fromRow(row: Record<string, unknown> | undefined): StoredMessage {
  return { ...(row as unknown as StoredMessage), attributes: JSON.parse(String(row?.attributes)) };
}
