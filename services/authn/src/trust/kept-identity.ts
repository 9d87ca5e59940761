import type { OutsideIdentity, Protocol } from "./trust-provider.ts";

/** Who was proven, kept in the state until whoever waits for it comes. JSON. */
export interface KeptIdentity {
  readonly provider: string;
  readonly protocol: Protocol;
  readonly principal: string;
  readonly groups: readonly string[];
  readonly owner: string | null;
  /** When the proof was made, epoch seconds: an earlier state does not know it. */
  readonly issuedAt: number;
  /** Epoch milliseconds. */
  readonly sessionEnds: number | null;
}

export type ProvenPerson = Omit<OutsideIdentity, "provider" | "tokenId" | "expiresAt"> & {
  readonly provider: { readonly name: string; readonly protocol?: Protocol };
};

/** @param issuedAt epoch seconds */
export const keptIdentity = ({ provider, principal, groups, owner, sessionEnds }: ProvenPerson, issuedAt: number): KeptIdentity => ({
  provider: provider.name,
  protocol: provider.protocol ?? "OIDC",
  principal,
  groups,
  owner: owner ?? null,
  issuedAt,
  sessionEnds: sessionEnds ?? null,
});

/**
 * The person again, by something that is good for once.
 * @param tokenId names that
 * @param expiresAt of that, epoch seconds
 */
export const identityOf = (kept: KeptIdentity, tokenId: string, expiresAt: number): OutsideIdentity => ({
  provider: { name: kept.provider, kind: "person", singleUse: true, skewSeconds: 0, protocol: kept.protocol },
  principal: kept.principal,
  groups: kept.groups,
  owner: kept.owner ?? undefined,
  tokenId,
  issuedAt: kept.issuedAt,
  expiresAt,
  sessionEnds: kept.sessionEnds ?? undefined,
});
