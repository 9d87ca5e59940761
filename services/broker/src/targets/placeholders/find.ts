import { parseParameters, strictJson, type ValueNode } from "@sallyport/guardrails";
import type { Operation } from "../operation.ts";

/** What every placeholder begins with, as `placeholderFor` makes it. */
const start = "[sallyport:";
const whole = /\[sallyport:[^\]\s]{1,300}\]/g;

/** A place of a request that holds a placeholder. */
export type Place =
  | { readonly in: "path" }
  | { readonly in: "header"; readonly name: string }
  | { readonly in: "query"; readonly name: string }
  /** `pointer` where it stands in a string of a JSON body, as its whole or a part. */
  | { readonly in: "body"; readonly pointer?: string };

export interface Found {
  readonly place: Place;
  /** The placeholders there, or what only begins like one. */
  readonly placeholders: readonly string[];
}

/** Whether a text holds what begins like a placeholder. */
export const holdsPlaceholder = (text: string): boolean => text.includes(start);

/** Every place of the request that holds a placeholder, plainly or percent- or JSON-escaped. An upload is looked through as it goes. */
export function findPlaceholders({ path, query, headers, body }: Operation): Found[] {
  const found: Found[] = [];
  const look = (place: Place, text: string) => {
    if (holdsPlaceholder(text)) found.push({ place, placeholders: text.match(whole) ?? [start] });
  };
  look({ in: "path" }, unescaped(path));
  if (holdsPlaceholder(unescaped(query))) {
    const pairs = tried(() => parseParameters(query.slice(1)));
    if (pairs === undefined || pairs.some(([name]) => holdsPlaceholder(name))) look({ in: "query", name: "" }, unescaped(query));
    else for (const [name, value] of pairs) look({ in: "query", name }, value);
  }
  for (const [name, value] of headers) look({ in: "header", name }, unescaped(value));
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  if (!holdsPlaceholder(unescaped(text))) return found;
  const json = tried(() => strictJson(body));
  const strings = json === undefined ? undefined : stringsOf(json.root, "");
  // A name cannot be filled in, nor can anything where two readers would see different strings.
  if (strings === undefined || !strings.some(([, value]) => holdsPlaceholder(value))) look({ in: "body" }, unescaped(text));
  else for (const [pointer, value] of strings) look(pointer === undefined ? { in: "body" } : { in: "body", pointer }, value);
  return found;
}

/** A pointer and its string; no pointer for a member's name. */
function stringsOf(node: ValueNode, pointer: string): [string | undefined, string][] {
  if (node.type === "String") return [[pointer, node.value]];
  if (node.type === "Array") return node.elements.flatMap(({ value }, index) => stringsOf(value, `${pointer}/${index}`));
  if (node.type !== "Object") return [];
  return node.members.flatMap(({ name, value }) => {
    const text = name.type === "String" ? name.value : name.name;
    return [
      [undefined, text] as [undefined, string],
      ...stringsOf(value, `${pointer}/${text.replaceAll("~", "~0").replaceAll("/", "~1")}`),
    ];
  });
}

/** Percent-encodings and `\u` escapes of ASCII, read once. */
export const unescaped = (text: string): string =>
  text.replaceAll(/%([0-7][0-9a-f])|\\u00([0-7][0-9a-f])/gi, (_, percent, unicode) =>
    String.fromCharCode(Number.parseInt(percent ?? unicode, 16)),
  );

function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
