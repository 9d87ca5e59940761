import type { CeilingInit } from "./ceiling.ts";
import { writeHandover } from "./handover.ts";
import type { Session } from "./session.ts";

export interface Delegation {
  /** The child's name below this agent: lower-case letters, digits, `.`, `_`, `-`; at most 63. */
  readonly name: string;
  /** The most that the child may do; each entry inside one entry of the parent's own. */
  readonly ceiling: CeilingInit;
}

/** A ticket for a child's key, as the one line that goes to the child's standard input. */
export interface HandedOver {
  readonly handover: string;
  /** The session that the child will have: what `revoke` takes. */
  readonly sessionId: string;
}

/** Whose the ticket is: the RFC 7638 thumbprint of the child's public key; or, only where a policy allows it, of whichever key is first. */
export type TicketFor = { readonly thumbprint: string } | { readonly unbound: true };

/** @param delegation.ttlSeconds 1 to 60; 60 unless said */
export async function delegate(session: Session, delegation: Delegation & TicketFor & { ttlSeconds?: number }): Promise<HandedOver> {
  const { ticket, sessionId } = await session.delegations.issueTicket({
    ...("thumbprint" in delegation ? { childThumbprint: delegation.thumbprint } : { unbound: delegation.unbound }),
    agentName: delegation.name,
    ceiling: delegation.ceiling,
    ttlSeconds: delegation.ttlSeconds ?? 0,
  });
  return { handover: writeHandover({ ...session.endpoints, ticket }), sessionId };
}
