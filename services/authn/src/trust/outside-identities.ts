import type { SignInCodes } from "./saml/sign-in-codes.ts";
import type { OutsideIdentity, Protocol } from "./trust-provider.ts";
import type { TrustProviders } from "./trust-providers.ts";
import type { WorkloadCertificates } from "./x509/workload-certificates.ts";

/** A code that a browser brought from a SAML sign-in: a token type of Sallyport's own (RFC 8693 §3 allows any URI). */
export const samlCodeType = "urn:sallyport:token-type:saml-code";

/** A workload's certificate and those up to its bundle, PEM; its key proves the call, or the connection. */
export const certificateType = "urn:sallyport:token-type:x509";

/** How an outside identity is shown, by the type that its proof is said to be. */
export function protocolOf(tokenType: string): Protocol {
  if (tokenType === samlCodeType) return "SAML";
  return tokenType === certificateType ? "X.509" : "OIDC";
}

/** What else than tokens shows an outside identity. */
export interface OtherProofs {
  readonly codes?: SignInCodes | undefined;
  readonly certificates?: WorkloadCertificates | undefined;
}

/** Every way in which an outside identity can be shown. */
export class OutsideIdentities {
  readonly #tokens: TrustProviders;
  readonly #others: OtherProofs;
  readonly #clock: { now(): number };

  constructor(tokens: TrustProviders, others: OtherProofs, clock: { now(): number }) {
    this.#tokens = tokens;
    this.#others = others;
    this.#clock = clock;
  }

  /**
   * @param tokenType RFC 8693 `subject_token_type`
   * @param thumbprint of the key that proves the call, RFC 7638
   * @param connection of the connection's client certificate, base64url SHA-256; undefined where it showed none
   * @throws Refusal INVALID_REQUEST for what is absent or of another type, UNAUTHENTICATED for what is not proven
   */
  async verify(token: string, tokenType: string, thumbprint: string, connection?: string): Promise<OutsideIdentity> {
    const { codes, certificates } = this.#others;
    if (tokenType === samlCodeType && codes !== undefined) return codes.identity(token, thumbprint, this.#clock.now());
    if (tokenType === certificateType && certificates !== undefined) return certificates.identity(token, thumbprint, connection);
    return this.#tokens.verify(token, tokenType);
  }
}
