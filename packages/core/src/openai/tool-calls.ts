import { isJsonObject } from "../json/object.ts";
import { joinFields } from "./join.ts";

type Fields = Record<string, unknown>;

/** A tool call, as much of it as has come. */
interface Part {
  id: string;
  /** Where its server says that it stands among the calls; null when it does not say. */
  index: number | null;
  /** Its kind decides where name and arguments stand. */
  type: string;
  called: Fields;
  /** The fields that are not known here. */
  others: Fields;
}

/**
 * Puts the tool calls of one message together. OpenAI tells them apart by their `index`; other servers leave it out, give every
 * call the same one, or repeat id and name in each delta. So an id decides where there is one, then the index, and
 * otherwise a delta belongs to the call before it.
 */
export function createToolCalls() {
  const parts: Part[] = [];
  let last: Part | undefined;

  /** The call that a delta continues; undefined when it begins one. */
  function continuedBy(id: string, index: number | null, called: Fields): Part | undefined {
    const sameId = id === "" ? undefined : parts.findLast((part) => part.id === id);
    if (sameId) return sameId;
    const before = index === null ? last : parts.findLast((part) => part.index === index);
    // What has no name cannot begin a call: its id or its index is wrong.
    if (!called.name) return before ?? last;
    if (!before || (id !== "" && before.id !== "")) return undefined;
    // Its name once more: the call goes on, unless it is whole and another of the same name comes.
    const another = isJson(before.called.arguments) && Boolean(called.arguments);
    return before.called.name === called.name && !another ? before : undefined;
  }

  return {
    add({ id: saidId, index: saidIndex, type, function: calledFunction, custom, ...others }: Fields): void {
      const id = typeof saidId === "string" ? saidId : "";
      const index = typeof saidIndex === "number" ? saidIndex : null;
      const called = isJsonObject(calledFunction) ? calledFunction : isJsonObject(custom) ? custom : {};
      let part = continuedBy(id, index, called);
      if (!part) {
        const kind = typeof type === "string" && type !== "" ? type : isJsonObject(custom) ? "custom" : "function";
        part = { id, index, type: kind, called: { name: "" }, others: {} };
        parts.push(part);
      }
      part.id ||= id;
      part.called = joinFields(part.called, called, [part.type === "custom" ? "input" : "arguments"]);
      part.others = joinFields(part.others, others, []);
      last = part;
    },
    isEmpty: () => parts.length === 0,
    /** In the order of their indexes, and as they came where those say nothing. */
    list: (): Fields[] =>
      parts
        .toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0))
        .map(({ id, type, called, others }) => ({
          ...others,
          id,
          type,
          [type === "custom" ? "custom" : "function"]: called,
        })),
  };
}

function isJson(text: unknown): boolean {
  try {
    JSON.parse(String(text));
    return true;
  } catch {
    return false;
  }
}
