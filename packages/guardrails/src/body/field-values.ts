import { contentOf, isForm, isJson } from "../content.ts";
import { memberName, type ValueNode } from "../json/strict-json.ts";
import { looseName } from "../names.ts";
import { parseParameters } from "../parameters.ts";
import { Uninspectable } from "../uninspectable.ts";
import { readValue, untyped, type Value } from "../values/value.ts";
import { formBody } from "./form-body.ts";
import { jsonBody } from "./json-body.ts";
import { hasBody, headerOf, type JudgedRequest } from "./judged-request.ts";
import { multipartBody, textOf } from "./multipart-body.ts";

const bare = (name: string) => looseName(name).replaceAll("_", "");

/**
 * Every value under one of these names, compared loosely, wherever it stands: in the query, in a form, at any depth of JSON. Of an object or
 * an array, all that it holds.
 *
 * @throws Uninspectable where the body is of another kind
 */
export function fieldValues(request: JudgedRequest, names: readonly string[]): Value[] {
  const wanted = new Set(names.map(bare));
  // `a[url]=…` names `url` in `a`.
  const isWanted = (name: string) => name.split(/[[\]]/).some((piece) => piece !== "" && wanted.has(bare(piece)));
  const fromPairs = (pairs: readonly (readonly [string, string])[]) =>
    pairs.filter(([name]) => isWanted(name)).map(([, value]) => untyped(value));
  const found = fromPairs(parseParameters(request.query.slice(1).replaceAll(/;|%3b/gi, "&")));
  if (!hasBody(request)) return found;
  const { type } = contentOf(headerOf(request, "content-type"));
  if (isForm(type)) return [...found, ...fromPairs(formBody(request) ?? [])];
  if (type === "multipart/form-data") {
    const parts = multipartBody(request) ?? [];
    return [...found, ...fromPairs(parts.filter((part) => part.fileName === undefined).map((part) => [part.name, textOf(part)]))];
  }
  if (!isJson(type)) throw new Uninspectable("has a body that is no JSON and no form");
  const body = jsonBody(request);
  return body === undefined ? found : [...found, ...under(body.root, body.text, isWanted, false)];
}

function under(node: ValueNode, text: string, isWanted: (name: string) => boolean, inside: boolean): Value[] {
  if (node.type === "Array") return node.elements.flatMap(({ value }) => under(value, text, isWanted, inside));
  if (node.type === "Object")
    return node.members.flatMap((member) => under(member.value, text, isWanted, inside || isWanted(memberName(member))));
  return inside ? [readValue(node, text)] : [];
}
