import { randomBytes } from "node:crypto";
import { sha256 } from "@sallyport/identity";
import type { State } from "@sallyport/state";
import { SealedCollection } from "../sessions/sealed-collection.ts";
import { identityOf, type KeptIdentity, keptIdentity, type ProvenPerson } from "../trust/kept-identity.ts";
import type { OutsideIdentity } from "../trust/trust-provider.ts";
import type { AuthorizationRequest } from "./authorization-request.ts";
import { grantRefused } from "./refusals.ts";

/** Seconds that a code can be redeemed (RFC 6749 §4.1.2: at most ten minutes), and for how long it is remembered that it was. */
const codeSeconds = 60;
const rememberedMs = 600_000;

interface Kept extends Pick<AuthorizationRequest, "client" | "redirectUri" | "challenge" | "thumbprint"> {
  readonly identity: KeptIdentity;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** `spent` while its session begins, and that session's id from then on; `reused` where somebody showed it again meanwhile. */
  readonly use: "fresh" | "spent" | "reused" | { readonly sid: string };
}

/** What a code is redeemed with (RFC 6749 §4.1.3, RFC 7636 §4.5), and the key that proves it. */
export interface Redemption {
  readonly code: string;
  readonly client: string;
  readonly redirectUri: string;
  readonly verifier: string;
  readonly thumbprint: string;
}

/** A code that is good, and not used up yet. */
export interface Redeemable {
  readonly identity: OutsideIdentity;
  /** Uses it up; once only. @throws Refusal UNAUTHENTICATED `invalid_grant` */
  spend(): Promise<void>;
  /** Says which session came of it. False where it was shown again meanwhile: that session must end. */
  settle(sid: string): Promise<boolean>;
}

/** Ends the session that came of a code which was shown again. */
export type EndReused = (sid: string, principal: string) => Promise<void>;

/** Authorization codes, in the shared state by their hashes, each for one key, one client, one verifier and one session. */
export class AuthorizationCodes {
  readonly #codes: SealedCollection;
  readonly #clock: { now(): number };

  constructor(state: State, secret: Uint8Array, clock: { now(): number }) {
    this.#codes = new SealedCollection(state, "authorization-codes", secret);
    this.#clock = clock;
  }

  async make({ client, redirectUri, challenge, thumbprint }: AuthorizationRequest, person: ProvenPerson): Promise<string> {
    const code = randomBytes(32).toString("base64url");
    const now = this.#clock.now();
    const identity = keptIdentity(person, Math.floor(now / 1000));
    const kept: Kept = { client, redirectUri, challenge, thumbprint, identity, expiresAt: now + codeSeconds * 1000, use: "fresh" };
    await this.#codes.create(sha256(code), JSON.stringify(kept), codeSeconds * 1000 + rememberedMs);
    return code;
  }

  /**
   * What a code stands for. One that was used already ends the session that came of it, whoever shows it (RFC 6749 §4.1.2): it has leaked.
   * Before that a wrong key, verifier, client or address is refused and harms nothing.
   * @throws Refusal UNAUTHENTICATED `invalid_grant`
   */
  async redeemable(shown: Redemption, endReused: EndReused): Promise<Redeemable> {
    const id = sha256(shown.code);
    const entry = shown.code.length > 100 ? undefined : await this.#codes.get(id);
    if (entry === undefined) throw grantRefused("The code is not known: sign in again.");
    const kept = JSON.parse(entry.text) as Kept;
    if (kept.use !== "fresh") return this.#reused(id, entry.version, kept, endReused);
    if (kept.expiresAt <= this.#clock.now()) throw grantRefused("The code's minute is over: sign in again.");
    if (kept.thumbprint !== shown.thumbprint)
      throw grantRefused("The code belongs to another key: use the one that it was asked for with.");
    if (kept.client !== shown.client || kept.redirectUri !== shown.redirectUri)
      throw grantRefused("The code was given to another client, or at another address.");
    if (sha256(shown.verifier) !== kept.challenge)
      throw grantRefused("The code_verifier is not that of the code_challenge (RFC 7636 §4.6).");
    return {
      identity: identityOf(kept.identity, sha256(`authorization-code ${shown.code}`), Math.ceil(kept.expiresAt / 1000)),
      spend: async () => {
        if (!(await this.#replace(id, entry.version, { ...kept, use: "spent" }))) throw codeUsed();
      },
      settle: async (sid) => {
        const now = await this.#codes.get(id);
        if (now === undefined || (JSON.parse(now.text) as Kept).use !== "spent") return false;
        return this.#replace(id, now.version, { ...kept, use: { sid } });
      },
    };
  }

  async #reused(id: string, version: number, kept: Kept, endReused: EndReused): Promise<never> {
    const { use, identity } = kept;
    if (typeof use === "object") await endReused(use.sid, identity.principal);
    // Its session may be there by now: then it is seen the next time around.
    else if (use === "spent" && !(await this.#replace(id, version, { ...kept, use: "reused" }))) {
      const entry = await this.#codes.get(id);
      if (entry !== undefined) return this.#reused(id, entry.version, JSON.parse(entry.text) as Kept, endReused);
    }
    throw codeUsed();
  }

  #replace(id: string, version: number, kept: Kept): Promise<boolean> {
    return this.#codes.replace(id, version, JSON.stringify(kept), kept.expiresAt - this.#clock.now() + rememberedMs);
  }
}

export const codeUsed = () => grantRefused("The code was used already, so the session that came of it was ended: sign in again.");
