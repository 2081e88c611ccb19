/** Text, or elements by name; a list repeats its element, and undefined leaves it out. */
export type Xml = string | number | boolean | { [element: string]: Xml | Xml[] | undefined };

export const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

export function xmlDocument(root: string, content: Xml, namespace: string | null = s3Namespace): string {
  const attribute = namespace === null ? "" : ` xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${render(content)}</${root}>`;
}

function render(content: Xml): string {
  if (typeof content !== "object") return escapeText(String(content));
  return Object.entries(content)
    .flatMap(([name, value]) => (value === undefined ? [] : [value].flat().map((each) => element(name, each))))
    .join("");
}

function element(name: string, content: Xml): string {
  return `<${name}>${render(content)}</${name}>`;
}

/** Line ends and other control characters become references too, so that a key comes out as it went in. */
function escapeText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys may hold them, and S3 writes them as references.
  return text.replace(/[&<>"\u0000-\u001f\u007f]/g, (character) => `&#${character.charCodeAt(0)};`);
}
