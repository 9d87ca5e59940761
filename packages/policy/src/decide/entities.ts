import type { Entity, EntityUid } from "@sallyport/cedar";
import { type Chain, type Link, providerOf } from "@sallyport/identity";
import { installationId } from "../bundle/check-names.ts";
import type { Catalogue } from "../catalogue.ts";

export const installation: EntityUid = { type: "Installation", id: installationId };

export const secretUid = (name: string): EntityUid => ({ type: "Secret", id: name });
export const targetUid = (name: string): EntityUid => ({ type: "Target", id: name });
export const principalUid = (link: Link): EntityUid => ({ type: link.kind === "agent" ? "Agent" : "User", id: link.id });

/**
 * The chain and its groups as entities. An agent is in its user and in every agent above it, so that what is said of a group
 * holds for the agents of its members too.
 */
export function chainEntities({ links, groups }: Chain): Entity[] {
  const [principal] = links;
  // An agent's id begins with its principal's.
  const provider = providerOf(principal.id);
  const user = principalUid(principal);
  const entities: Entity[] = [
    { uid: user, attrs: { kind: principal.kind, provider }, parents: groups.map((id) => ({ type: "Group", id })) },
  ];
  let above = user;
  for (let depth = 1; depth < links.length; depth++) {
    const link = links[depth] as Link;
    const uid = principalUid(link);
    const name = link.id.slice(Math.max(link.id.lastIndexOf("/"), link.id.lastIndexOf("#")) + 1);
    entities.push({ uid, attrs: { kind: link.kind, provider, name, depth }, parents: depth === 1 ? [user] : [above, user] });
    above = uid;
  }
  return entities;
}

/** A secret as it is configured. One that is not has no category, and is asked about all the same. */
export const secretEntity = (name: string, catalogue: Catalogue): Entity => ({
  uid: secretUid(name),
  attrs: { name },
  parents: (catalogue.categoriesOf(name) ?? []).map((id) => ({ type: "Category", id })),
});

export const targetEntity = (name: string): Entity => ({ uid: targetUid(name), attrs: { name }, parents: [] });
