import { randomBytes } from "node:crypto";
import { Refusal } from "@sallyport/contracts";
import { sha256 } from "@sallyport/identity";
import type { SealedCollection } from "../../sessions/sealed-collection.ts";
import type { OutsideIdentity } from "../trust-provider.ts";
import type { SamlProvider } from "./saml-provider.ts";
import type { VerifiedResponse } from "./verify-response.ts";

/** Seconds that a code can be exchanged. */
const codeSeconds = 60;

interface Kept {
  readonly provider: string;
  readonly principal: string;
  readonly groups: readonly string[];
  /** Null where the identity provider sent somebody unasked: the first key that shows the code has it. */
  readonly thumbprint: string | null;
  /** Of the assertion, epoch seconds. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly sessionEnds: number | null;
}

/**
 * The codes by which a browser hands a sign-in over to the command line. A code is shown once, lives for a minute, and is worth
 * nothing but to the key that began the sign-in; the state holds its hash.
 */
export class SignInCodes {
  readonly #codes: SealedCollection;
  readonly #providers: ReadonlyMap<string, SamlProvider>;

  constructor(codes: SealedCollection, providers: readonly SamlProvider[]) {
    this.#codes = codes;
    this.#providers = new Map(providers.map((provider) => [provider.name, provider]));
  }

  /** @param now epoch milliseconds */
  async make(
    provider: SamlProvider,
    { principal, groups, issuedAt, sessionEnds }: VerifiedResponse,
    thumbprint: string | undefined,
    now: number,
  ): Promise<string> {
    const code = randomBytes(32).toString("base64url");
    const expiresAt = Math.floor(now / 1000) + codeSeconds;
    const kept: Kept = {
      provider: provider.name,
      principal,
      groups,
      thumbprint: thumbprint ?? null,
      issuedAt: Math.floor(issuedAt / 1000),
      expiresAt,
      sessionEnds: sessionEnds ?? null,
    };
    await this.#codes.create(sha256(code), JSON.stringify(kept), codeSeconds * 1000);
    return code;
  }

  /**
   * Who a code stands for. Using it up is for the exchange, as for every token that signs in once; and so is refusing one whose
   * assertion is older than the state, which then no longer knows whether that was accepted before.
   * @throws Refusal UNAUTHENTICATED; with another key, which harms nothing
   */
  async identity(code: string, thumbprint: string, now: number): Promise<OutsideIdentity> {
    const entry = code.length > 100 ? undefined : await this.#codes.get(sha256(code));
    const kept = entry === undefined ? undefined : (JSON.parse(entry.text) as Kept);
    const provider = kept === undefined ? undefined : this.#providers.get(kept.provider);
    if (kept === undefined || provider === undefined || kept.expiresAt * 1000 <= now)
      throw new Refusal("UNAUTHENTICATED", "The sign-in code is not known, or its minute is over: sign in again.");
    if (kept.thumbprint !== null && kept.thumbprint !== thumbprint)
      throw new Refusal("UNAUTHENTICATED", "The sign-in code belongs to the key that began the sign-in: sign in again, with this one.");
    return {
      provider: { name: provider.name, kind: "person", singleUse: true, skewSeconds: 0, protocol: "SAML" },
      principal: kept.principal,
      groups: kept.groups,
      owner: undefined,
      tokenId: sha256(`saml-code ${code}`),
      issuedAt: kept.issuedAt,
      expiresAt: kept.expiresAt,
      sessionEnds: kept.sessionEnds ?? undefined,
    };
  }
}
