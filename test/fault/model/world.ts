import { mock } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { audit, type BilledCall } from "@tollgate/core/audit/audit";
import { readRecords } from "@tollgate/core/audit/read";
import type { Job, PerformDeps, Prepared } from "@tollgate/core/completion/job";
import { perform } from "@tollgate/core/completion/run";
import { AppError } from "@tollgate/core/error";
import { UpstreamFailure } from "@tollgate/core/openai/retry";
import { leaseMs } from "@tollgate/core/result/claim";
import { claimContent } from "@tollgate/core/result/content";
import { deleteResult } from "@tollgate/core/result/delete";
import type { Result } from "@tollgate/core/result/result";
import { settleLate } from "@tollgate/core/result/settle-later";
import { readItem } from "@tollgate/core/result/store";
import { sweep } from "@tollgate/core/result/sweep";
import type { Item } from "./expression.ts";
import { type Command, Table } from "./table.ts";

/** What may become of a step. `down`: DynamoDB takes nothing of this attempt any more, from here on. */
export type Fate =
  | "well"
  | "fails"
  | "done, but fails"
  | "done twice"
  | "down"
  | "done, then killed"
  | "killed"
  | "unbilled failure"
  | "billed failure"
  | "billed, then killed";

/** One thing that can happen next, in words: a schedule is a list of them. */
export interface Move {
  name: string;
  /** Something goes wrong with it. */
  adverse: boolean;
  make(): void | Promise<void>;
}

export interface Variant {
  name: string;
  job: Partial<Job>;
  /** Each attempt has a result of its own, all of one content: the same image was written again under its key. */
  isOneContent?: boolean;
}

/** A call that an attempt waits for. */
interface Step {
  what: string;
  fates: readonly Fate[];
  take(fate: Fate): void;
}

interface Attempt {
  name: string;
  step: Step | null;
  state: "running" | "ended" | "killed";
  /** DynamoDB does not take its writes any more. */
  down: boolean;
  /** What it has seen: two attempts that have seen the same do the same. */
  seen: string[];
  outcome: { result: Result } | { error: AppError } | null;
}

const newAttempt = (name: string): Attempt => ({
  name,
  step: null,
  state: "running",
  down: false,
  seen: [],
  outcome: null,
});

const tableFates = ["well", "fails", "done, but fails", "done twice", "down", "done, then killed"] as const;
const openaiFates = ["well", "unbilled failure", "billed failure", "billed, then killed"] as const;

const resultId = "res_00000000000000000000000000";
/** Of the image that was written again. Its event comes once more as C. */
const laterResultId = "res_00000000000000000000000001";
const startMs = Date.parse("2026-11-24T12:00:00.000Z");
const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };

/** A table, a clock, OpenAI, a queue for late settlements, and the attempts at one request: all of it moved by hand. */
export class World {
  readonly table = new Table();
  readonly attempts: Attempt[] = [];
  /** A sweep that goes on beside the attempts, step by step as they do. */
  private sweeper: Attempt | null = null;
  readonly billed: BilledCall[] = [];
  readonly messages: string[] = [];
  readonly violations: string[] = [];
  private clockMs = startMs;
  private stalls = 0;
  private isDeleted = false;
  private readonly done = new Set<string>();
  private readonly variant: Variant;

  constructor(variant: Variant) {
    this.variant = variant;
    this.begin("A");
  }

  /** Waits until every attempt waits for a step, or is over. Timers run as far as that takes. */
  async quiet(): Promise<void> {
    for (let ticks = 0; ; ticks++) {
      await nextTurn();
      if (this.actors().every(({ state, step }) => state !== "running" || step)) return;
      if (ticks > 200) throw new Error("An attempt waits for something that the model does not know.");
      this.clockMs += 50;
      mock.timers.tick(50);
    }
  }

  private actors(): Attempt[] {
    return this.sweeper ? [...this.attempts, this.sweeper] : this.attempts;
  }

  /** What can happen next; nothing when all is over. */
  moves(adversities: number): Move[] {
    const moves: Move[] = [];
    for (const attempt of this.actors()) {
      const { name, step } = attempt;
      if (attempt.state !== "running" || !step) continue;
      for (const fate of step.fates) {
        const adverse = fate !== "well";
        if (adverse && adversities === 0) continue;
        moves.push({
          name: `${name}: ${step.what}${adverse ? `: ${fate}` : ""}`,
          adverse,
          make: () => step.take(fate),
        });
      }
    }
    const isActive = this.actors().some(({ state }) => state === "running");
    if (this.attempts.length === 1) this.offer(moves, "B begins", () => this.begin("B"));
    if (isActive && this.stalls === 0 && adversities > 0) {
      moves.push({ name: "the lease ends unnoticed", adverse: true, make: () => void this.stall() });
    }
    // An attempt whose lease has ended may be swept while it still lives.
    if (isActive && this.stalls > 0 && !this.sweeper) {
      moves.push({ name: "the sweep comes by meanwhile", adverse: false, make: () => this.sweepMeanwhile() });
    }
    if (!isActive && this.attempts.length >= 2) {
      for (const [i, message] of this.messages.entries()) {
        this.offer(moves, `message ${i + 1} is settled`, () => this.settleLate(message));
      }
      this.offer(moves, "the sweep comes by", () => this.sweep());
      const isFinal = this.result() && this.result()?.status !== "running";
      if (isFinal && !this.isDeleted && adversities > 0) {
        moves.push({ name: "the result is deleted", adverse: true, make: () => this.delete() });
      }
      if (this.attempts.length === 2) this.offer(moves, "C begins, when the lease is over", () => this.beginLate());
    }
    return moves;
  }

  private offer(moves: Move[], name: string, act: () => void | Promise<void>): void {
    if (this.done.has(name)) return;
    const make = () => {
      this.done.add(name);
      return act();
    };
    moves.push({ name, adverse: false, make });
  }

  /** Two worlds with the same key have the same future. Lease ids differ from run to run, and are told by their order. */
  key(): string {
    const leases = new Map<string, number>();
    const { billed, clockMs, done, isDeleted, messages, stalls } = this;
    const told = this.actors().map(({ name, state, step, down, seen }) => [name, state, step?.what, down, seen]);
    const text = JSON.stringify([
      [...this.table.items],
      told,
      billed,
      clockMs,
      [...done].sort(),
      messages,
      [stalls, isDeleted],
    ]);
    return text.replace(/(?<!res_)\b[0-9A-HJKMNP-TV-Z]{26}\b/g, (id) => {
      if (!leases.has(id)) leases.set(id, leases.size);
      return `lease ${leases.get(id)}`;
    });
  }

  /** What does not hold, now that all is over. */
  async judge(hadAdversity: boolean): Promise<string[]> {
    await this.sweep();
    const deps = this.depsOf(null);
    const found = await audit(readRecords(deps.store.dynamodb, "ledger"), {
      nowMs: this.clockMs + 10 * leaseMs,
      graceMs: { http: 0, queue: 0 },
      queueRetentionMs: Number.POSITIVE_INFINITY,
      billed: this.billed,
    });
    const problems = found.problems.map(({ check, subject, message }) => `${check}: ${subject}: ${message}`);
    for (const { name, outcome } of this.attempts) {
      if (!outcome || !("result" in outcome) || this.isDeleted) continue;
      const item = this.item(outcome.result.id);
      if ((item?.result as Result | undefined)?.openai?.id === outcome.result.openai?.id) continue;
      // Settled later, unless somebody has taken the result over by then.
      const isLost = this.messages.some((text) => {
        const message = JSON.parse(text);
        return message.result.openai?.id === outcome.result.openai?.id && message.lease.lease_id !== item?.lease_id;
      });
      if (!isLost) problems.push(`${name} was told an answer that the result does not have`);
    }
    if (!hadAdversity && (this.billed.length !== 1 || found.ledger.unaccounted_attempts > 0))
      problems.push(`nothing went wrong, and ${this.billed.length} calls were billed`);
    return [...this.violations, ...problems];
  }

  private item(id = resultId): Item | undefined {
    return this.table.items.get(`result#${id} result`);
  }

  private result(): Result | undefined {
    return this.item()?.result as Result | undefined;
  }

  private begin(name: string): void {
    const attempt = newAttempt(name);
    this.attempts.push(attempt);
    perform(this.depsOf(attempt), this.jobOf(attempt)).then(
      ({ result }) => this.end(attempt, { result }),
      (error) => this.end(attempt, { error }),
    );
  }

  private end(attempt: Attempt, outcome: { result: Result } | { error: AppError }): void {
    attempt.state = "ended";
    attempt.outcome = outcome;
    if ("error" in outcome && !(outcome.error instanceof Error)) this.violations.push(`${attempt.name} threw no error`);
  }

  /** A process that stood still: its own timers noticed nothing. */
  private stall(): void {
    this.stalls += 1;
    this.clockMs += leaseMs + 1_000;
  }

  private beginLate(): void {
    this.clockMs += leaseMs + 1_000;
    this.begin("C");
  }

  private async settleLate(message: string): Promise<void> {
    // Twice, as a queue may deliver it.
    for (let time = 0; time < 2; time++) await settleLate(this.depsOf(null).store, message);
  }

  private async sweep(): Promise<void> {
    this.clockMs += leaseMs + 1_000;
    await sweep({ store: this.depsOf(null).store, now: () => new Date(this.clockMs), graceMs: { http: 0, queue: 0 } });
  }

  private sweepMeanwhile(): void {
    const sweeper = newAttempt("the sweep");
    this.sweeper = sweeper;
    const { store, now } = this.depsOf(sweeper);
    const over = () => {
      sweeper.state = "ended";
    };
    sweep({ store, now, graceMs: { http: 0, queue: 0 } }).then(over, over);
  }

  private async delete(): Promise<void> {
    const { store } = this.depsOf(null);
    const item = await readItem(store, resultId);
    if (item) await deleteResult(store, { remove: unused }, item, new Date(this.clockMs));
    this.isDeleted = true;
  }

  private jobOf(attempt: Attempt): Job {
    const id = this.variant.isOneContent && attempt.name !== "A" ? laterResultId : resultId;
    const asked: Prepared = {
      params: { model: "gpt-4o-mini", max_tokens: 9, messages: [{ role: "user", content: "Hello" }] },
      format: { type: "text" },
    };
    return {
      id,
      kind: "chat",
      source: "http",
      owner: "acme",
      key: null,
      model: "gpt-4o-mini",
      schema: null,
      metadata: {},
      image: null,
      requestHash: "the same",
      prepare: async ({ ledger, pendingUnaccounted }) => {
        if (!this.variant.isOneContent) return asked;
        const { store, now } = this.depsOf(attempt);
        const replayed = await claimContent(store, "content", id, now());
        return replayed && ledger.length === 0 && pendingUnaccounted === 0 ? { replayed } : asked;
      },
      deadlineMs: this.clockMs + 300_000,
      onFailure: "fail",
      ...this.variant.job,
    };
  }

  /** What an attempt is given; for none, the same without steps: nothing goes wrong then. */
  private depsOf(attempt: Attempt | null): PerformDeps {
    const send = (command: Command) => (attempt ? this.ask(attempt, command) : this.carryOut(command));
    return {
      store: {
        dynamodb: { send } as unknown as PerformDeps["store"]["dynamodb"],
        tableName: "ledger",
        answers: { put: unused, get: unused, remove: unused },
      },
      upstream: {
        connect: () => {},
        complete: () => this.callOpenAI(attempt as Attempt),
        stream: unused,
        models: unused,
      },
      prices: new Map(),
      settlementQueue: { send: async (message) => void this.messages.push(message) },
      now: () => new Date(this.clockMs),
    };
  }

  private async carryOut(command: Command): Promise<unknown> {
    const before = [resultId, laterResultId].map((id) => [id, JSON.stringify(this.item(id)?.result)] as const);
    const answer = this.table.apply(command);
    for (const [id, text] of before) {
      const after = JSON.stringify(this.item(id)?.result);
      const isSuccess = text !== undefined && ["succeeded", "truncated"].includes(JSON.parse(text).status);
      if (isSuccess && after !== undefined && after !== text) this.violations.push("a success was changed");
    }
    return answer;
  }

  private ask(attempt: Attempt, command: Command): Promise<unknown> {
    if (attempt.down) return Promise.reject(new Error("DynamoDB is down."));
    // An index tells where to look, and what is found there is read again.
    if (command.constructor.name === "QueryCommand") return this.carryOut(command);
    const isRead = command.constructor.name === "GetCommand";
    const what = whatOf(command);
    return this.step(attempt, what, isRead ? ["well", "fails"] : tableFates, async (fate) => {
      if (fate === "fails") throw new Error("DynamoDB failed.");
      if (fate === "down") {
        attempt.down = true;
        throw new Error("DynamoDB is down.");
      }
      const answer = await this.carryOut(command);
      // The SDK repeats a call whose answer was lost; of a transaction, DynamoDB knows the token.
      if (fate === "done twice" && command.constructor.name !== "TransactWriteCommand") return this.carryOut(command);
      if (fate === "done, but fails") throw new Error("The answer was lost.");
      return answer;
    });
  }

  private callOpenAI(attempt: Attempt): ReturnType<PerformDeps["upstream"]["complete"]> {
    return this.step(attempt, "OpenAI", openaiFates, async (fate) => {
      const id = `chatcmpl-${attempt.name}`;
      if (fate !== "unbilled failure") this.billed.push({ id, usage });
      if (fate === "unbilled failure" || fate === "billed failure") {
        const error = new AppError("upstream_error", "The connection to OpenAI failed.");
        throw new UpstreamFailure(error, { attempts: 1, possiblyBilledAttempts: fate === "billed failure" ? 1 : 0 });
      }
      const message = { role: "assistant", content: "Hi" };
      const body = { id, model: "gpt-4o-mini", usage, choices: [{ index: 0, finish_reason: "stop", message }] };
      return { text: JSON.stringify(body), body, requestId: null, attempts: 1, possiblyBilledAttempts: 0 };
    });
  }

  private step<T>(attempt: Attempt, what: string, fates: readonly Fate[], act: (fate: Fate) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const take = (fate: Fate) => {
        attempt.step = null;
        const isKilled = fate.endsWith("killed");
        if (isKilled) attempt.state = "killed";
        const acted = act(fate);
        acted.then(
          (answer) => attempt.seen.push(`${what}: ${JSON.stringify(answer)}`),
          (error) => attempt.seen.push(`${what}: ${error} ${JSON.stringify(error)}`),
        );
        // Who was killed never hears of it.
        if (isKilled) acted.catch(() => {});
        else acted.then(resolve, reject);
      };
      attempt.step = { what, fates, take };
    });
  }
}

const unused = () => Promise.reject(new Error("Not here."));

function whatOf({ constructor: { name }, input }: Command): string {
  if (name !== "TransactWriteCommand") return name.replace("Command", "");
  const items = (input as { TransactItems: Record<string, { Key?: Item; Item?: Item }>[] }).TransactItems;
  const parts = items.map((item) => String(Object.values(item)[0]?.Key?.pk ?? "").split("#")[0]);
  return `write ${parts.join(" + ")}`;
}
