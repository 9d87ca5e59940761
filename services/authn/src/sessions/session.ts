import type { Action } from "@sallyport/contracts";
import { type Ceiling, type Chain, ceilingOf, chainOf, childId, jwkThumbprint, type Link, type PublicJwk } from "@sallyport/identity";

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

/**
 * A session in the state: of a million sessions each byte counts. Links without what follows from the first (an agent's id is its
 * parent's and one name more), a key without its thumbprint.
 */
interface SessionJson {
  /** The principal: id, kind, session, owner. */
  p: [id: string, kind: Link["kind"], sid: string, owner?: string];
  /** The agents below: name, session. */
  a?: [name: string, sid: string][];
  g?: string[];
  s: number[];
  c: [actions: Action[], secrets: string[], targets: string[]][];
  /** A key's coordinates, an awaited key's thumbprint, or neither. */
  k?: [x: string, y?: string];
  t?: string;
  m?: 1;
  e: number;
}

export function sessionToJson({ chain, starts, ceiling, holder, binding, endsAt }: Session): string {
  const [{ id, kind, sid, owner }, ...agents] = chain.links;
  const json: SessionJson = {
    p: owner === undefined ? [id, kind, sid] : [id, kind, sid, owner],
    ...(agents.length === 0 ? {} : { a: agents.map((link) => [link.id.slice(lastSeparator(link.id) + 1), link.sid]) }),
    ...(chain.groups.length === 0 ? {} : { g: [...chain.groups] }),
    s: [...starts],
    c: ceiling.entries.map(({ actions, secrets, targets }) => [[...actions], [...secrets], [...targets]]),
    ...(holder.kind === "key" ? { k: coordinatesOf(holder.publicJwk) } : {}),
    ...(holder.kind === "awaited" ? { t: holder.thumbprint } : {}),
    ...(binding === "mtls" ? { m: 1 as const } : {}),
    e: endsAt,
  };
  return JSON.stringify(json);
}

export function sessionFromJson(sid: string, text: string): Session {
  const { p, a = [], g = [], s: starts, c, k, t, m, e: endsAt } = JSON.parse(text) as SessionJson;
  const [id, kind, principalSid, owner] = p;
  const links: Link[] = [{ id, kind, sid: principalSid, ...(owner === undefined ? {} : { owner }) }];
  for (const [name, agentSid] of a) links.push({ id: childId((links.at(-1) as Link).id, name), kind: "agent", sid: agentSid });
  const ceiling = ceilingOf(c.map(([actions, secrets, targets]) => ({ actions, secrets, targets })));
  const binding = m === 1 ? "mtls" : "dpop";
  return { sid, chain: chainOf(links, g), starts, ceiling, holder: holderFrom(k, t), binding, endsAt };
}

const lastSeparator = (id: string) => Math.max(id.lastIndexOf("/"), id.lastIndexOf("#"));

const coordinatesOf = (jwk: PublicJwk): [string, string?] => (jwk.kty === "EC" ? [jwk.x, jwk.y] : [jwk.x]);

function holderFrom(key: SessionJson["k"], awaited: string | undefined): Holder {
  if (awaited !== undefined) return { kind: "awaited", thumbprint: awaited };
  if (key === undefined) return { kind: "none" };
  const [x, y] = key;
  const publicJwk: PublicJwk = y === undefined ? { kty: "OKP", crv: "Ed25519", x } : { kty: "EC", crv: "P-256", x, y };
  return { kind: "key", thumbprint: jwkThumbprint(publicJwk), publicJwk };
}

/** The sessions above a chain's last, from the principal's down. */
export const sidsAbove = (chain: Chain): readonly string[] => chain.links.slice(0, -1).map((link) => link.sid);
