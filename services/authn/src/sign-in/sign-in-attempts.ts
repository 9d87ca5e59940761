import { createHmac, hkdfSync } from "node:crypto";
import { sha256 } from "@sallyport/identity";
import type { State } from "@sallyport/state";
import { isOpaqueValue, newOpaqueValue } from "../http/opaque-value.ts";
import { SealedCollection } from "../sessions/sealed-collection.ts";
import type { AuthorizationRequest } from "./authorization-request.ts";
import { otherBrowser } from "./browsers.ts";
import { signInRefused } from "./refusals.ts";
import type { SignInSecrets } from "./sign-in-provider.ts";

/** Milliseconds that a person has at the identity provider. */
const attemptMs = 600_000;

/** What a sign-in at an identity provider is for. */
export type Purpose =
  | { readonly kind: "device"; readonly grant: string; readonly thumbprint: string }
  | ({ readonly kind: "code" } & AuthorizationRequest);

/** A browser that was sent to an identity provider. */
export interface Attempt {
  readonly provider: string;
  /** {@link Browser.id}. */
  readonly browser: string;
  readonly purpose: Purpose;
}

/** Who was sent where and what for, until they come back. The state holds neither the `state` itself nor what is derived from it. */
export class SignInAttempts {
  readonly #attempts: SealedCollection;
  readonly #key: Uint8Array;

  constructor(state: State, secret: Uint8Array) {
    this.#attempts = new SealedCollection(state, "sign-in-attempts", secret);
    this.#key = new Uint8Array(hkdfSync("sha256", secret, "", "sallyport authn sign-in attempts", 32));
  }

  async begin(attempt: Attempt): Promise<SignInSecrets> {
    const secrets = this.#secretsOf(newOpaqueValue());
    await this.#attempts.create(sha256(secrets.state), JSON.stringify(attempt), attemptMs);
    return secrets;
  }

  /**
   * Who comes back to a provider's callback, once. What another browser brings, or what comes back from another provider, ends nothing.
   * @throws Refusal UNAUTHENTICATED `over`, `other-browser`, `other-provider`
   */
  async finish(state: string | undefined, provider: string, browser: string): Promise<{ attempt: Attempt; secrets: SignInSecrets }> {
    if (state === undefined || !isOpaqueValue(state)) throw over();
    const id = sha256(state);
    const entry = await this.#attempts.get(id);
    if (entry === undefined) throw over();
    const attempt = JSON.parse(entry.text) as Attempt;
    if (attempt.browser !== browser) throw otherBrowser();
    if (attempt.provider !== provider)
      throw signInRefused("other-provider", "This answer is for a sign-in at another identity provider: begin the sign-in again.");
    if (!(await this.#attempts.delete(id))) throw over();
    return { attempt, secrets: this.#secretsOf(state) };
  }

  #secretsOf(state: string): SignInSecrets {
    const derived = (what: string) => createHmac("sha256", this.#key).update(`${what} ${state}`).digest("base64url");
    return { state, nonce: derived("nonce"), verifier: derived("verifier") };
  }
}

const over = () => signInRefused("over", "This sign-in is over, or was not begun here: begin it again.");
