import type { SignInCodes } from "./saml/sign-in-codes.ts";
import type { OutsideIdentity } from "./trust-provider.ts";
import type { TrustProviders } from "./trust-providers.ts";

/** A code that a browser brought from a SAML sign-in: a token type of Sallyport's own (RFC 8693 §3 allows any URI). */
export const samlCodeType = "urn:sallyport:token-type:saml-code";

/** Every way in which an outside identity can be shown. */
export class OutsideIdentities {
  readonly #tokens: TrustProviders;
  readonly #codes: SignInCodes | undefined;
  readonly #clock: { now(): number };

  constructor(tokens: TrustProviders, codes: SignInCodes | undefined, clock: { now(): number }) {
    this.#tokens = tokens;
    this.#codes = codes;
    this.#clock = clock;
  }

  /**
   * @param tokenType RFC 8693 `subject_token_type`
   * @param thumbprint of the key that proves the call, RFC 7638
   * @throws Refusal INVALID_REQUEST for what is absent or of another type, UNAUTHENTICATED for what is not proven
   */
  async verify(token: string, tokenType: string, thumbprint: string): Promise<OutsideIdentity> {
    if (tokenType === samlCodeType && this.#codes !== undefined) return this.#codes.identity(token, thumbprint, this.#clock.now());
    return this.#tokens.verify(token, tokenType);
  }
}
