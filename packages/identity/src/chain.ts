import { printable, Refusal } from "@sallyport/contracts";
import { parseAgentId, parseAgentName, parseGroup, parsePrincipalId, parseSessionId } from "./name.ts";

declare const checked: unique symbol;

/** What an actor is. The first link of a chain is never an agent; the others always are. */
export type LinkKind = "person" | "service" | "pipeline" | "agent";

const kinds: ReadonlySet<string> = new Set<LinkKind>(["person", "service", "pipeline", "agent"]);

/** One actor of a chain. */
export interface Link {
  /** `<provider>/<subject>`, or `<principal>#<agent>/<child>/…`. */
  readonly id: string;
  readonly kind: LinkKind;
  /** The actor's session; stable across renewals. */
  readonly sid: string;
  /** Who answers for a service account or pipeline. */
  readonly owner?: string;
}

/** From the principal to the actor that asks. Made only by {@link chainOf} and its kin, so it is never malformed. */
export interface Chain {
  readonly links: readonly [Link, ...Link[]];
  /** The principal's groups, `<provider>/<group>`. */
  readonly groups: readonly string[];
  readonly [checked]: true;
}

/** Most agents below one principal, whatever is configured. */
export const maxAgents = 16;

/**
 * A chain whose ids nest (each link's id is its parent's and one name more), whose sessions differ and whose kinds fit.
 * @throws Refusal INVALID_REQUEST
 */
export function chainOf(links: readonly Link[], groups: readonly string[] = []): Chain {
  if (links.length === 0) throw malformed("it has no link");
  if (links.length > maxAgents + 1) throw malformed(`it has more than ${maxAgents} agents`);
  const parsed = links.map((link, index) => parseLink(link, links[index - 1]));
  if (new Set(parsed.map((link) => link.sid)).size !== parsed.length) throw malformed("two links share a session");
  const distinct = Object.freeze([...new Set(groups.map(parseGroup))]);
  return Object.freeze({ links: Object.freeze(parsed), groups: distinct }) as unknown as Chain;
}

/** The chain of a child that the chain's last actor starts. @throws Refusal INVALID_REQUEST for a bad name or too many agents */
export function childChain(parent: Chain, agentName: string, sid: string): Chain {
  return chainOf([...parent.links, { id: childId(actorOf(parent).id, agentName), kind: "agent", sid }], parent.groups);
}

/** The id of an agent below a principal or another agent. @throws Refusal INVALID_REQUEST */
export const childId = (parentId: string, agentName: string): string =>
  `${parentId}${parentId.includes("#") ? "/" : "#"}${parseAgentName(agentName)}`;

/** Who started it. */
export const principalOf = (chain: Chain): Link => chain.links[0];

/** Who asks: the last link. */
export const actorOf = (chain: Chain): Link => chain.links[chain.links.length - 1] as Link;

/** How many agents the chain has. */
export const depthOf = (chain: Chain): number => chain.links.length - 1;

/** A chain in a sentence: `corp/alice → deploy → migration`, safe for a terminal. */
export const describeChain = (chain: Chain): string =>
  chain.links.map(({ id }, index) => printable(index === 0 ? id : (id.split(/[#/]/).at(-1) ?? id))).join(" → ");

function parseLink(link: Link, parent: Link | undefined): Link {
  if (!kinds.has(link.kind)) throw malformed("a link's kind is not person, service, pipeline or agent");
  if ((link.kind === "agent") !== (parent !== undefined)) throw malformed("its first link alone is a principal");
  parseSessionId(link.sid);
  if (parent === undefined) {
    parsePrincipalId(link.id);
  } else {
    parseAgentId(link.id);
    const name = link.id.slice(parent.id.length + 1);
    if (link.id !== `${parent.id}${parent.kind === "agent" ? "/" : "#"}${name}` || name.includes("/")) {
      throw malformed("a link's id does not continue its parent's");
    }
  }
  if (link.owner === undefined) return Object.freeze({ id: link.id, kind: link.kind, sid: link.sid });
  if (link.kind === "agent") throw malformed("an agent's owner is its principal");
  return Object.freeze({ id: link.id, kind: link.kind, sid: link.sid, owner: parsePrincipalId(link.owner) });
}

const malformed = (why: string) => new Refusal("INVALID_REQUEST", `This chain is malformed: ${why}.`);
