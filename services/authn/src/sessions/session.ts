import { type Ceiling, type CeilingEntry, type Chain, ceilingOf, chainOf, type Link, type PublicJwk } from "@sallyport/identity";

/** Whose a session is: `key` once its holder has shown their key, `awaited` until then (by any key where the thumbprint is empty), `none` for a principal who only started an agent. */
export type Holder =
  | { readonly kind: "key"; readonly thumbprint: string; readonly publicJwk: PublicJwk }
  | { readonly kind: "awaited"; readonly thumbprint: string }
  | { readonly kind: "none" };

/** Everything that one actor does from enrolment to its end. The record that credentials are renewed from. */
export interface Session {
  readonly sid: string;
  /** From the principal to this actor. */
  readonly chain: Chain;
  /** When each link's session began, epoch seconds, in the chain's order. */
  readonly starts: readonly number[];
  readonly ceiling: Ceiling;
  readonly holder: Holder;
  readonly binding: "dpop" | "mtls";
  /** When it ends by itself, epoch milliseconds; never after its parent. */
  readonly endsAt: number;
}

interface SessionJson {
  links: Link[];
  groups: string[];
  starts: number[];
  ceiling: CeilingEntry[];
  holder: Holder;
  binding: "dpop" | "mtls";
  endsAt: number;
}

export function sessionToJson(session: Session): string {
  const { chain, starts, ceiling, holder, binding, endsAt } = session;
  const json = {
    links: [...chain.links],
    groups: [...chain.groups],
    starts: [...starts],
    ceiling: [...ceiling.entries],
    holder,
    binding,
    endsAt,
  };
  return JSON.stringify(json satisfies SessionJson);
}

export function sessionFromJson(sid: string, text: string): Session {
  const { links, groups, starts, ceiling, holder, binding, endsAt } = JSON.parse(text) as SessionJson;
  return { sid, chain: chainOf(links, groups), starts, ceiling: ceilingOf(ceiling), holder, binding, endsAt };
}

/** The sessions above this one, from the principal's down. */
export const ancestorIds = (session: Session): readonly string[] => session.chain.links.slice(0, -1).map((link) => link.sid);
