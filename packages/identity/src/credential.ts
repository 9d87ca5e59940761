import type { Ceiling } from "./ceiling.ts";
import type { Chain } from "./chain.ts";

/** Most seconds between a credential's issue and its expiry. */
export const maxCredentialSeconds = 600;

/** Most characters of an encoded credential. */
export const maxCredentialLength = 8192;

/** The key that a credential is bound to: by DPoP (RFC 9449 `jkt`) or by a client certificate (RFC 8705 `x5t#S256`). */
export interface CredentialBinding {
  readonly kind: "dpop" | "mtls";
  /** base64url SHA-256. */
  readonly thumbprint: string;
}

/** A credential that was verified. Times are epoch seconds, as in its claims. */
export interface Credential {
  readonly issuer: string;
  readonly audience: string;
  readonly id: string;
  readonly chain: Chain;
  /** The session of the chain's last link. */
  readonly sid: string;
  /** When each link's session began, in the chain's order. */
  readonly sessionStarts: readonly number[];
  readonly ceiling: Ceiling;
  readonly binding: CredentialBinding;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** When the session ends by itself; no credential of it lives longer, and no effect. */
  readonly sessionEndsAt: number;
  readonly notBefore: number | undefined;
  readonly epoch: number;
  /** The trust provider where the chain's principal signed in. */
  readonly provider: string;
}
