import type { Expr, PolicyJson } from "@cedar-policy/cedar-wasm/nodejs";
import type { EntityUid } from "./entity.ts";

export type { Expr, PolicyJson };

/** Anything inside an expression: an object whose one key is its operator, a list, or a literal. */
type Node = unknown;

const isObject = (node: Node): node is Record<string, Node> => typeof node === "object" && node !== null && !Array.isArray(node);

/** Every object inside a policy's scope and conditions, outermost first, each with what it stands in. Its depth is not bounded. */
export function* nodesOf(root: Node): Generator<{ node: Record<string, Node>; parent: Record<string, Node> | undefined }> {
  const waiting: { node: Node; parent: Record<string, Node> | undefined }[] = [{ node: root, parent: undefined }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, parent } = next;
    if (Array.isArray(node)) for (const item of node.toReversed()) waiting.push({ node: item, parent });
    else if (isObject(node)) {
      yield { node, parent };
      for (const value of Object.values(node).toReversed()) waiting.push({ node: value, parent: node });
    }
  }
}

/** The entities that a policy names, in its scope or in its conditions. */
export function entitiesIn(policy: PolicyJson): EntityUid[] {
  const found: EntityUid[] = [];
  for (const { node } of nodesOf([policy.principal, policy.action, policy.resource, policy.conditions])) {
    if (typeof node.type === "string" && typeof node.id === "string" && Object.keys(node).length === 2)
      found.push({ type: node.type, id: node.id });
  }
  return found;
}
