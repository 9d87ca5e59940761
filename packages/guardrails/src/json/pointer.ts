import { printable } from "@sallyport/contracts";
import { couldBe } from "../names.ts";
import { Uninspectable } from "../uninspectable.ts";
import { memberName, memberOf, type ValueNode } from "./strict-json.ts";

/** The steps of a JSON Pointer (RFC 6901); none for the whole document. */
export type Pointer = readonly string[];

/** @returns the steps, or a sentence's end that says why the text is no pointer */
export function parsePointer(text: string): Pointer | string {
  if (text === "") return [];
  if (!text.startsWith("/")) return "must be a JSON Pointer such as /config/url: it starts with /";
  if (/~(?![01])/.test(text)) return "must be a JSON Pointer: ~ is written ~0, and / inside a name ~1";
  return text
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/**
 * The values that a pointer names; `*` as a step stands for every element of an array. A name beside it that some readers would take
 * for the same (`Host` for `host`) cannot be judged.
 *
 * @throws Uninspectable
 */
export function select(node: ValueNode, pointer: Pointer): ValueNode[] {
  const [step, ...rest] = pointer;
  if (step === undefined) return [node];
  if (node.type === "Array") {
    if (step === "*") return node.elements.flatMap((element) => select(element.value, rest));
    const element = /^(0|[1-9][0-9]*)$/.test(step) ? node.elements[Number(step)] : undefined;
    return element === undefined ? [] : select(element.value, rest);
  }
  if (node.type !== "Object") return [];
  refuseLookAlikes(node.members.map(memberName), step);
  const member = memberOf(node, step);
  return member === undefined ? [] : select(member.value, rest);
}

/** @throws Uninspectable where a name is not `wanted`, and is taken for it by some */
export function refuseLookAlikes(names: readonly string[], wanted: string): void {
  const other = names.find((name) => name !== wanted && couldBe(name, wanted));
  if (other !== undefined)
    throw new Uninspectable(`says ${printable(JSON.stringify(other), 60)}, which some take for ${printable(JSON.stringify(wanted), 60)}`);
}
