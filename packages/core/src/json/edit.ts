import { survey } from "./survey.ts";

// Edits of a JSON object's own members in its text: everything else stays to the byte. The text is one that `JSON.parse` takes.

/** The text with this member: in place of one of the same name, or after the last. `value` is JSON. */
export function withMember(text: string, name: string, value: string): string {
  const { members } = survey(text);
  const known = members.findLast((member) => member.name === name);
  if (known) return text.slice(0, known.valueStart) + value + text.slice(known.end);
  const last = members.at(-1);
  const at = last ? last.end : text.indexOf("{") + 1;
  return `${text.slice(0, at)}${last ? "," : ""}${JSON.stringify(name)}:${value}${text.slice(at)}`;
}

/** The text without any member of this name. */
export function withoutMember(text: string, name: string): string {
  const { members } = survey(text);
  const index = members.findLastIndex((member) => member.name === name);
  const member = members[index];
  if (!member) return text;
  const [before, next] = [members[index - 1], members[index + 1]];
  // Its comma goes with it: the one behind it or, of the last, the one before.
  const [start, end] = next ? [member.start, next.start] : [before?.end ?? member.start, member.end];
  return withoutMember(text.slice(0, start) + text.slice(end), name);
}

/**
 * The text without the members that `JSON.parse` does not see because another of the same name follows. OpenAI then reads only what
 * was judged here.
 */
export function withoutShadowed(text: string, shadowed = survey(text).shadowed): string {
  if (shadowed.length === 0) return text;
  let kept = "";
  let at = 0;
  for (const { start, end } of shadowed.toSorted((a, b) => a.start - b.start)) {
    // It may stand inside of another.
    if (start < at) continue;
    kept += text.slice(at, start);
    at = end;
  }
  return kept + text.slice(at);
}
