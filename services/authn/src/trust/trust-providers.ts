import { Refusal } from "@sallyport/contracts";
import { checkClaims } from "./check-claims.ts";
import { type FetchJson, jwksOf } from "./discovery.ts";
import { IssuerKeys, keyTimes } from "./issuer-keys.ts";
import { mapClaims } from "./map-claims.ts";
import { claimed, refused, tokenIdOf, verifySignature } from "./outside-token.ts";
import type { RefreshTimes } from "./refreshed.ts";
import type { OutsideIdentity, TrustProvider } from "./trust-provider.ts";

/** RFC 8693 §3. Both are signed JWTs; the type says what the caller takes it for. */
const tokenTypes: ReadonlySet<string> = new Set(["urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:jwt"]);

/** All configured issuers. Turns an outside token into the identity that it proves, or refuses. */
export class TrustProviders {
  readonly #trusted: readonly { provider: TrustProvider; keys: IssuerKeys }[];
  readonly #clock: { now(): number; monotonic(): number };

  constructor(
    trusted: readonly { provider: TrustProvider; fetchJson: FetchJson }[],
    clock: { now(): number; monotonic(): number },
    times?: RefreshTimes,
  ) {
    this.#clock = clock;
    this.#trusted = trusted.map(({ provider, fetchJson }) => ({
      provider,
      keys: new IssuerKeys(jwksOf(provider, fetchJson), provider.algorithms, () => clock.monotonic(), times ?? timesOf(provider)),
    }));
  }

  /**
   * @param tokenType RFC 8693 `subject_token_type`
   * @throws Refusal INVALID_REQUEST for what is absent or of another type, UNAUTHENTICATED for what is not proven
   */
  async verify(token: string, tokenType: string): Promise<OutsideIdentity> {
    if (token === "") throw new Refusal("INVALID_REQUEST", "There is no subject token: send the ID token or workload token to exchange.");
    if (!tokenTypes.has(tokenType)) {
      throw new Refusal("INVALID_REQUEST", "The subject token's type must be `urn:ietf:params:oauth:token-type:id_token` or `…:jwt`.");
    }
    const { issuers, audiences } = claimed(token);
    const ofIssuer = this.#trusted.filter(({ provider }) => issuers.includes(provider.issuer));
    // One issuer may be configured several times, for different audiences.
    const trusted = ofIssuer.find(({ provider }) => audiences.some((one) => provider.audiences.includes(one as string))) ?? ofIssuer[0];
    if (trusted === undefined) throw refused("its issuer is not among the trust providers of this installation");
    const { provider, keys } = trusted;
    const claims = await verifySignature(token, provider, (algorithm, kid) => keys.find(algorithm, kid));
    const expiresAt = checkClaims(claims, provider, this.#clock.now());
    return { provider, ...mapClaims(claims, provider), tokenId: tokenIdOf(token, claims), issuedAt: Number(claims.iat ?? 0), expiresAt };
  }
}

const timesOf = ({ keySeconds }: TrustProvider): RefreshTimes => ({
  ...keyTimes,
  ...(keySeconds === undefined ? {} : { freshMs: keySeconds * 1000 }),
});
