import { printable, Refusal } from "@sallyport/contracts";
import { couldBe, memberName, memberOf, type ObjectNode, parsePointer, strictJson, Uninspectable } from "@sallyport/guardrails";

/**
 * The body with a member put in at a JSON Pointer; objects on the way are made where they are missing. All other bytes stay as the
 * agent sent them.
 *
 * @param body empty counts as `{}`
 * @throws Refusal INVALID_REQUEST where the body is no JSON object, or has that member already, in whatever case
 */
export function withMember(body: Uint8Array, pointer: string, value: string): Buffer {
  const steps = parsePointer(pointer) as readonly string[];
  const { text, root } = parsed(body.length === 0 ? Buffer.from("{}") : body);
  let node = root;
  for (const [depth, step] of steps.entries()) {
    if (node.type !== "Object") throw noRoom(pointer, "no object stands on the way to it");
    const taken = node.members.map(memberName).find((name) => couldBe(name, step) && (name !== step || depth === steps.length - 1));
    if (taken !== undefined) throw noRoom(pointer, `the body says ${printable(JSON.stringify(taken), 60)} there itself; leave it out`);
    const member = memberOf(node, step);
    if (member === undefined) return inserted(text, node, step, nested(steps.slice(depth + 1), value));
    node = member.value;
  }
  throw noRoom(pointer, "it is taken");
}

const nested = (steps: readonly string[], value: string): string =>
  steps.reduceRight((inner, step) => `{${JSON.stringify(step)}:${inner}}`, JSON.stringify(value));

function inserted(text: string, node: ObjectNode, name: string, json: string): Buffer {
  const at = node.loc.start.offset + 1;
  const after = node.members.length === 0 ? "" : ",";
  return Buffer.from(`${text.slice(0, at)}${JSON.stringify(name)}:${json}${after}${text.slice(at)}`);
}

function parsed(body: Uint8Array): ReturnType<typeof strictJson> {
  try {
    return strictJson(body);
  } catch (error) {
    if (error instanceof Uninspectable)
      throw new Refusal(
        "INVALID_REQUEST",
        `This target puts its secret into the JSON body, but the request ${error.message}; send plain JSON.`,
        {
          metadata: { effect: "none" },
        },
      );
    throw error;
  }
}

const noRoom = (pointer: string, why: string) =>
  new Refusal("INVALID_REQUEST", `This target puts its secret at ${printable(pointer)} of the JSON body, and ${why}.`, {
    metadata: { effect: "none" },
  });
