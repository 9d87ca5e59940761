import type { CompiledPolicy } from "./compile-policy.ts";
import type { Node } from "./hierarchy.ts";

type ByEntity = Map<string, Map<string, CompiledPolicy[]>>;

/** The policies that are about one action. */
interface Shelf {
  /** Those whose scope names no entity. */
  readonly open: CompiledPolicy[];
  readonly byPrincipal: ByEntity;
  readonly byResource: ByEntity;
}

const newShelf = (): Shelf => ({ open: [], byPrincipal: new Map(), byResource: new Map() });

/** Policies found by the entities that their scopes name, so that a question looks at those alone which may apply to it. */
export class PolicyIndex {
  readonly #everyAction = newShelf();
  readonly #byAction = new Map<string, Shelf>();

  constructor(policies: Iterable<CompiledPolicy>) {
    for (const policy of policies) {
      if (policy.actions === undefined) place(this.#everyAction, policy);
      for (const action of new Set(policy.actions)) {
        let shelf = this.#byAction.get(action);
        if (shelf === undefined) {
          shelf = newShelf();
          this.#byAction.set(action, shelf);
        }
        place(shelf, policy);
      }
    }
  }

  /** Every policy that may apply, each once. @param principal and `resource` with all that they are in */
  candidates(action: string, principal: readonly Node[], resource: readonly Node[]): CompiledPolicy[] {
    const found: CompiledPolicy[] = [];
    for (const shelf of [this.#everyAction, this.#byAction.get(action)]) {
      if (shelf === undefined) continue;
      found.push(...shelf.open);
      collect(shelf.byPrincipal, principal, found);
      collect(shelf.byResource, resource, found);
    }
    return found;
  }
}

function place(shelf: Shelf, policy: CompiledPolicy): void {
  if (policy.key === undefined) {
    shelf.open.push(policy);
    return;
  }
  const { of, uid } = policy.key;
  const byEntity = of === "principal" ? shelf.byPrincipal : shelf.byResource;
  let ofType = byEntity.get(uid.type);
  if (ofType === undefined) {
    ofType = new Map();
    byEntity.set(uid.type, ofType);
  }
  const policies = ofType.get(uid.id);
  if (policies === undefined) ofType.set(uid.id, [policy]);
  else policies.push(policy);
}

function collect(byEntity: ByEntity, nodes: readonly Node[], found: CompiledPolicy[]): void {
  if (byEntity.size === 0) return;
  for (const { uid } of nodes) {
    const policies = byEntity.get(uid.type)?.get(uid.id);
    if (policies !== undefined) found.push(...policies);
  }
}
