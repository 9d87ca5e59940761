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
  return links.map((link, depth) => {
    const uid = principalUid(link);
    const common = { kind: link.kind, provider: providerOf(link.id) };
    if (depth === 0) return { uid, attrs: common, parents: groups.map((id) => ({ type: "Group", id })) };
    const parents = links.slice(Math.max(0, depth - 1), depth).map(principalUid);
    if (depth > 1) parents.push(principalUid(principal));
    const name = link.id.split(/[#/]/).at(-1) ?? "";
    return { uid, attrs: { ...common, name, depth }, parents };
  });
}

/** A secret as it is configured. One that is not has no category, and is asked about all the same. */
export const secretEntity = (name: string, catalogue: Catalogue): Entity => ({
  uid: secretUid(name),
  attrs: { name },
  parents: (catalogue.categoriesOf(name) ?? []).map((id) => ({ type: "Category", id })),
});

export const targetEntity = (name: string): Entity => ({ uid: targetUid(name), attrs: { name }, parents: [] });
