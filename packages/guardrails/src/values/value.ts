import { memberName, type ValueNode } from "../json/strict-json.ts";
import { Uninspectable } from "../uninspectable.ts";

/** One value of a request, as a test sees it. */
export type Value =
  | {
      readonly type: "string";
      readonly text: string /** From where everything is text: a header, a query, a form. */;
      readonly untyped: boolean;
    }
  | { readonly type: "number"; readonly number: number }
  | { readonly type: "boolean"; readonly is: boolean }
  | { readonly type: "null" }
  | { readonly type: "object"; readonly keys: readonly string[] }
  | { readonly type: "array"; readonly length: number };

export const untyped = (text: string): Value => ({ type: "string", text, untyped: true });

/** @param text the document that the node is of. @throws Uninspectable for a number that readers would round differently */
export function readValue(node: ValueNode, text: string): Value {
  switch (node.type) {
    case "String":
      return { type: "string", text: node.value, untyped: false };
    case "Number": {
      const digits = text.slice(node.loc.start.offset, node.loc.end.offset);
      if (!Number.isFinite(node.value) || (Math.abs(node.value) > Number.MAX_SAFE_INTEGER && !/[.eE]/.test(digits)) || digits.length > 25)
        throw new Uninspectable("has a number that not every reader takes for the same");
      return { type: "number", number: node.value };
    }
    case "Boolean":
      return { type: "boolean", is: node.value };
    case "Null":
      return { type: "null" };
    case "Array":
      return { type: "array", length: node.elements.length };
    case "Object":
      return { type: "object", keys: node.members.map(memberName) };
    default:
      throw new Uninspectable("has a body that is no valid JSON");
  }
}
