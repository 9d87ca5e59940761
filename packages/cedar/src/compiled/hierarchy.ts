import type { CedarValue, Entity, EntityUid } from "../entity.ts";
import { NotCompiled, sameUid } from "./value.ts";

/** One entity of a question, or one that is only named as a parent. */
export interface Node {
  readonly uid: EntityUid;
  entity: Entity | undefined;
  /** Every entity that it is in, itself not included; found when first asked for. */
  ancestors: ReadonlySet<Node> | undefined;
}

/** The entities of a question, found by name, and what is in what. */
export class Hierarchy {
  readonly #nodes = new Map<string, Map<string, Node>>();

  /** @throws NotCompiled where an entity comes twice, or is above itself */
  constructor(entities: readonly Entity[]) {
    for (const entity of entities) {
      const node = this.#intern(entity.uid);
      if (node.entity !== undefined) throw new NotCompiled("an entity that comes twice");
      node.entity = entity;
    }
    for (const { uid, parents } of entities) if (parents.length > 0) this.ancestorsOf(this.#intern(uid));
  }

  /** Attributes of an entity; undefined where it is not among those of the question. */
  attributesOf(uid: EntityUid): Readonly<Record<string, CedarValue>> | undefined {
    return this.#find(uid)?.entity?.attrs;
  }

  /** Cedar's `in`: the same entity, or one above it. */
  isIn(uid: EntityUid, other: EntityUid): boolean {
    if (sameUid(uid, other)) return true;
    const ancestors = this.ancestorsOf(this.#intern(uid));
    const above = this.#find(other);
    return above !== undefined && ancestors.has(above);
  }

  /** The node of an entity, made where the question does not have it. */
  nodeOf(uid: EntityUid): Node {
    return this.#intern(uid);
  }

  /** @throws NotCompiled where an entity is above itself */
  ancestorsOf(node: Node): ReadonlySet<Node> {
    if (node.ancestors !== undefined) return node.ancestors;
    const found = new Set<Node>();
    const waiting = [node];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (next.entity === undefined) continue;
      for (const parent of next.entity.parents) {
        const above = this.#intern(parent);
        if (above === node) throw new NotCompiled("an entity that is in itself");
        if (found.has(above)) continue;
        found.add(above);
        waiting.push(above);
      }
    }
    node.ancestors = found;
    return found;
  }

  #find({ type, id }: EntityUid): Node | undefined {
    return this.#nodes.get(type)?.get(id);
  }

  #intern(uid: EntityUid): Node {
    let ofType = this.#nodes.get(uid.type);
    if (ofType === undefined) {
      ofType = new Map();
      this.#nodes.set(uid.type, ofType);
    }
    let node = ofType.get(uid.id);
    if (node === undefined) {
      node = { uid, entity: undefined, ancestors: undefined };
      ofType.set(uid.id, node);
    }
    return node;
  }
}
