import { type MemberNode, type ObjectNode, parse, type ValueNode } from "@humanwhocodes/momoa";
import { printable } from "@sallyport/contracts";
import { Uninspectable } from "../uninspectable.ts";
import { nestsDeeper } from "./nesting.ts";

export type { MemberNode, ObjectNode, ValueNode } from "@humanwhocodes/momoa";

const maxDepth = 64;

/**
 * JSON that every reader understands alike (RFC 8259, I-JSON RFC 7493 §2.3): UTF-8 without a byte order mark, no name twice in
 * an object, at most 64 levels deep. The tree knows where in the text each value stands.
 *
 * @throws Uninspectable
 */
export function strictJson(bytes: Uint8Array): { text: string; root: ValueNode } {
  const text = utf8(bytes);
  if (nestsDeeper(text, maxDepth)) throw new Uninspectable(`has a body that nests deeper than ${maxDepth} levels`);
  let root: ValueNode;
  try {
    root = parse(text, { mode: "json" }).body;
  } catch {
    throw new Uninspectable("has a body that is no valid JSON");
  }
  refuseRepeated(root);
  return { text, root };
}

/** @throws Uninspectable */
export function utf8(bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Uninspectable("has a body that is not UTF-8");
  }
  if (text.startsWith("\u{feff}")) throw new Uninspectable("has a byte order mark in front of its body");
  return text;
}

function refuseRepeated(node: ValueNode): void {
  if (node.type === "Array") for (const element of node.elements) refuseRepeated(element.value);
  if (node.type !== "Object") return;
  const seen = new Set<string>();
  for (const member of node.members) {
    const name = memberName(member);
    if (seen.has(name)) throw new Uninspectable(`says ${printable(JSON.stringify(name), 60)} twice in one JSON object`);
    seen.add(name);
    refuseRepeated(member.value);
  }
}

export const memberName = ({ name }: MemberNode): string => (name.type === "String" ? name.value : name.name);

/** The member of exactly this name. */
export const memberOf = (node: ObjectNode, name: string): MemberNode | undefined =>
  node.members.find((member) => memberName(member) === name);
