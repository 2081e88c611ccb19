import {
  type AttributeValue,
  ConditionalCheckFailedException,
  TransactionCanceledException,
} from "@aws-sdk/client-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import { holds, type Item, updated } from "./expression.ts";

/** A command of the document client: what it is and what it says. */
export interface Command {
  constructor: { name: string };
  input: unknown;
}

export type Outcome = { answer: unknown } | { error: unknown };

export interface Write {
  Key?: Item;
  Item?: Item;
  ConditionExpression?: string;
  UpdateExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, unknown>;
  ReturnValuesOnConditionCheckFailure?: string;
}

const metadata = { $metadata: {} };
const keyOf = ({ pk, sk }: Item): string => `${pk} ${sk}`;
/** What the document client leaves out. */
const withoutUndefined = <T>(value: T): T => JSON.parse(JSON.stringify(value));

/** One table in memory that behaves as DynamoDB does to the commands that core sends. Throws on any other. */
export class Table {
  readonly items = new Map<string, Item>();
  /** Every command that was carried out, and what came of it. */
  readonly log: { command: Command; outcome: Outcome }[] = [];
  /** For a table with a fault of its own: what is carried out instead. */
  rewrite = (command: Command): Command => command;

  apply(asked: Command): unknown {
    const command = this.rewrite(asked);
    try {
      const answer = this.carryOut(command);
      this.log.push({ command, outcome: { answer } });
      return answer;
    } catch (error) {
      this.log.push({ command, outcome: { error } });
      throw error;
    }
  }

  private carryOut({ constructor: { name }, input }: Command): unknown {
    const command = input as Record<string, unknown>;
    if (name === "GetCommand") return { Item: structuredClone(this.items.get(keyOf(command.Key as Item))) };
    if (name === "ScanCommand") return { Items: [...this.items.values()].map((item) => structuredClone(item)) };
    if (name === "QueryCommand") return this.query(command);
    if (name === "TransactWriteCommand") return this.transact(command.TransactItems as Record<string, Write>[]);
    const write = command as Write;
    if (!this.permits(write)) {
      throw new ConditionalCheckFailedException({
        message: "The conditional request failed",
        ...metadata,
        ...this.old(write),
      });
    }
    this.write(name.replace("Command", ""), write);
    return {};
  }

  private transact(items: Record<string, Write>[]): object {
    const writes = items.map((item) => Object.entries(item)[0] as [string, Write]);
    const permitted = writes.map(([, write]) => this.permits(write));
    if (!permitted.every(Boolean)) {
      const CancellationReasons = writes.map(([, write], i) =>
        permitted[i] ? { Code: "None" } : { Code: "ConditionalCheckFailed", ...this.old(write) },
      );
      throw new TransactionCanceledException({ message: "Transaction cancelled", ...metadata, CancellationReasons });
    }
    const keys = writes.map(([, { Key, Item }]) => keyOf(Key ?? Item ?? {}));
    if (new Set(keys).size < keys.length)
      throw new Error("Transaction request cannot include multiple operations on one item");
    for (const [name, write] of writes) this.write(name, write);
    return {};
  }

  private permits({ ConditionExpression, Key, Item, ...names }: Write): boolean {
    return !ConditionExpression || holds(ConditionExpression, this.items.get(keyOf(Key ?? Item ?? {})), names);
  }

  private old({ Key, Item, ReturnValuesOnConditionCheckFailure }: Write): { Item?: Record<string, AttributeValue> } {
    const item = this.items.get(keyOf(Key ?? Item ?? {}));
    return item && ReturnValuesOnConditionCheckFailure === "ALL_OLD" ? { Item: marshall(item) } : {};
  }

  private write(name: string, { Key, Item, UpdateExpression, ...names }: Write): void {
    const key = keyOf(Key ?? Item ?? {});
    if (name === "Put" && Item) this.items.set(key, withoutUndefined(Item));
    else if (name === "Delete") this.items.delete(key);
    else if (name === "Update" && UpdateExpression && Key) {
      this.items.set(key, updated(UpdateExpression, this.items.get(key) ?? Key, withoutUndefined(names)));
    } else throw new Error(`The model knows no ${name}.`);
  }

  private query({ KeyConditionExpression, IndexName, ...names }: Record<string, unknown>): object {
    if (IndexName !== "by_lease") throw new Error(`The model has no index ${IndexName}.`);
    const found = [...this.items.values()].filter((item) => holds(String(KeyConditionExpression), item, names));
    return { Items: found.map(({ pk, sk }) => ({ pk, sk })) };
  }
}
