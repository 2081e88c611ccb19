import * as z from "zod";
import { reservation } from "../budget/schema.ts";
import { ledgerEntry } from "../usage/ledger.ts";
import { answerKey } from "./answer-key.ts";
import type { Lease } from "./claim.ts";
import { storedResult } from "./result.ts";
import { type Settlement, settle } from "./settle.ts";
import type { ResultStore } from "./store.ts";

/** Takes a message of `messageOf`. */
export interface SettlementQueue {
  send(message: string): Promise<void>;
}

/** Below the 1 MiB that SQS takes, and that `infra/` lets this queue take. Source: SQS quotas, November 2026. */
export const maxMessageBytes = 1_000_000;

/** `answer_stored`: the answer lies where this attempt's answers lie, since the message cannot hold it. */
const message = z.object({
  lease: z.object({
    lease_id: z.string(),
    pending_unaccounted: z.int(),
    reservation: reservation.nullable(),
    ledger: z.array(ledgerEntry),
  }),
  result: storedResult,
  answer: z.string().nullable(),
  answer_stored: z.boolean(),
  maybe_billed: z.int(),
  completed_at: z.iso.datetime(),
});

/** What the queue keeps of a settlement, for `settleLate` to read. An answer that is too large for a message is put into S3. */
export async function messageOf(store: ResultStore, lease: Lease, settlement: Settlement): Promise<string> {
  const { answer, ...result } = settlement.result;
  const whole: z.infer<typeof message> = {
    lease: {
      lease_id: lease.leaseId,
      pending_unaccounted: lease.pendingUnaccounted,
      reservation: lease.reservation,
      ledger: lease.ledger,
    },
    result,
    answer,
    answer_stored: false,
    maybe_billed: settlement.possiblyBilledAttempts,
    completed_at: settlement.completedAt.toISOString(),
  };
  const text = messageText(whole);
  if (answer === null || Buffer.byteLength(text) <= maxMessageBytes) return text;
  await store.answers.put(answerKey(result.owner, result.id, lease.leaseId), answer);
  return messageText({ ...whole, answer: null, answer_stored: true });
}

/** As JSON, without the two characters that SQS refuses and JSON leaves as they are. */
const messageText = (content: z.infer<typeof message>): string =>
  JSON.stringify(content).replaceAll("\uFFFE", "\\uFFFE").replaceAll("\uFFFF", "\\uFFFF");

/** Which result a message is about, and what came of it. */
export interface SettledLate {
  owner: string;
  resultId: string;
  /** False: another attempt has taken the result over, or it was deleted. */
  settled: boolean;
}

/** Settles what was left to the queue, however often its message arrives. Throws when it has to come back. */
export async function settleLate(store: ResultStore, body: string): Promise<SettledLate> {
  const { lease, result, answer, answer_stored, maybe_billed, completed_at } = message.parse(JSON.parse(body));
  const stored = answer_stored ? await store.answers.get(answerKey(result.owner, result.id, lease.lease_id)) : null;
  const settled = await settle(
    store,
    {
      leaseId: lease.lease_id,
      result,
      pendingUnaccounted: lease.pending_unaccounted,
      reservation: lease.reservation,
      ledger: lease.ledger,
    },
    {
      result: { ...result, answer: answer ?? stored },
      possiblyBilledAttempts: maybe_billed,
      completedAt: new Date(completed_at),
    },
  );
  return { owner: result.owner, resultId: result.id, settled };
}
