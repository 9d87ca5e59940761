import { type DescField, type DescMessage, fromJsonString } from "@bufbuild/protobuf";
import { type MemberNode, type ObjectNode, parse, type ValueNode } from "@humanwhocodes/momoa";
import { printable, Refusal } from "@sallyport/contracts";
import { nestsDeeper } from "@sallyport/guardrails";

const maxDepth = 64;

/**
 * Refuses JSON that is no such message, and JSON that two readers could understand differently: a name twice in one object, or one field under both its
 * names (`accessRequestId` and `access_request_id`), of which JSON.parse and protobuf silently take the last.
 *
 * @throws Refusal INVALID_REQUEST
 */
export function checkJsonMessage(bytes: Uint8Array, schema: DescMessage): void {
  const text = decodeUtf8(bytes);
  if (nestsDeeper(text, maxDepth)) throw new Refusal("INVALID_REQUEST", `The body nests deeper than ${maxDepth} levels; flatten it.`);
  let root: ValueNode;
  try {
    root = parse(text, { mode: "json" }).body;
  } catch {
    throw new Refusal("INVALID_REQUEST", `The body is not valid JSON for ${schema.typeName}; see the published contract.`);
  }
  checkValue(root, schema);
  try {
    fromJsonString(schema, text);
  } catch (error) {
    // The parser quotes what it cannot read, which may be a secret's value: only a name that it does not know is passed on.
    const unknown = /key "(.{1,100})" is unknown/.exec(String(error))?.[1];
    const why = unknown === undefined ? "a field has a value of another type" : `there is no field ${printable(unknown)}`;
    throw new Refusal("INVALID_REQUEST", `The body is no ${schema.typeName}: ${why}; see the published contract.`);
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Refusal("INVALID_REQUEST", "The body is not valid UTF-8.", { cause });
  }
}

function checkValue(node: ValueNode, schema: DescMessage | undefined): void {
  if (node.type === "Array") for (const element of node.elements) checkValue(element.value, schema);
  if (node.type === "Object") checkObject(node, schema);
}

function checkObject(node: ObjectNode, schema: DescMessage | undefined): void {
  const seen = new Set<string>();
  for (const member of node.members) {
    const name = nameOf(member);
    const field = schema?.fields.find((candidate) => candidate.jsonName === name || candidate.name === name);
    const key = field === undefined ? `"${name}` : String(field.number);
    if (seen.has(key)) throw new Refusal("INVALID_REQUEST", `The body says ${printable(name)} more than once; say it once.`);
    seen.add(key);
    if (field?.fieldKind === "map") checkMap(member.value, field);
    else checkValue(member.value, field?.message);
  }
}

/** A map's keys are data, not field names. */
function checkMap(node: ValueNode, field: DescField & { fieldKind: "map" }): void {
  if (node.type !== "Object") return;
  checkObject(node, undefined);
  if (field.message !== undefined) for (const member of node.members) checkValue(member.value, field.message);
}

const nameOf = ({ name }: MemberNode): string => (name.type === "String" ? name.value : name.name);
