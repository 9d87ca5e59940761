import { randomBytes } from "node:crypto";
import { Refusal } from "@sallyport/contracts";
import { sha256 } from "@sallyport/identity";
import type { SealedCollection } from "../../sessions/sealed-collection.ts";
import { identityOf, type KeptIdentity, keptIdentity } from "../kept-identity.ts";
import type { OutsideIdentity } from "../trust-provider.ts";
import type { SamlProvider } from "./saml-provider.ts";
import type { VerifiedResponse } from "./verify-response.ts";

/** Seconds that a code can be exchanged. */
const codeSeconds = 60;

interface Kept {
  readonly identity: KeptIdentity;
  /** Null where the identity provider sent somebody unasked: the first key that shows the code has it. */
  readonly thumbprint: string | null;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

/**
 * The codes by which a browser hands a sign-in over to the command line. A code is shown once, lives for a minute, and is worth
 * nothing but to the key that began the sign-in; the state holds its hash.
 */
export class SignInCodes {
  readonly #codes: SealedCollection;
  readonly #names: ReadonlySet<string>;

  constructor(codes: SealedCollection, providers: readonly SamlProvider[]) {
    this.#codes = codes;
    this.#names = new Set(providers.map(({ name }) => name));
  }

  /** @param now epoch milliseconds */
  async make(
    { name }: SamlProvider,
    { principal, groups, issuedAt, sessionEnds }: VerifiedResponse,
    thumbprint: string | undefined,
    now: number,
  ): Promise<string> {
    const code = randomBytes(32).toString("base64url");
    const person = { provider: { name, protocol: "SAML" as const }, principal, groups, owner: undefined, sessionEnds };
    const kept: Kept = {
      identity: keptIdentity(person, Math.floor(issuedAt / 1000)),
      thumbprint: thumbprint ?? null,
      expiresAt: Math.floor(now / 1000) + codeSeconds,
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
    if (kept === undefined || !this.#names.has(kept.identity.provider) || kept.expiresAt * 1000 <= now)
      throw new Refusal("UNAUTHENTICATED", "The sign-in code is not known, or its minute is over: sign in again.");
    if (kept.thumbprint !== null && kept.thumbprint !== thumbprint)
      throw new Refusal("UNAUTHENTICATED", "The sign-in code belongs to the key that began the sign-in: sign in again, with this one.");
    return identityOf(kept.identity, sha256(`saml-code ${code}`), kept.expiresAt);
  }
}
