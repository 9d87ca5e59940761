import type { ProvenPerson } from "../trust/kept-identity.ts";
import type { OutsideIdentity } from "../trust/trust-provider.ts";
import { signInRefused } from "./refusals.ts";
import type { SignInProvider, SignInSecrets, WaitingKey } from "./sign-in-provider.ts";

/** What of a SAML provider's own sign-in is used. */
export interface SamlFrontOptions {
  readonly name: string;
  /** Where the browser goes, with a request that carries who waits; the answer comes back here with a code for that key. */
  readonly begin: (waiting: { thumbprint: string; state: string }) => Promise<string>;
  /** Who such a code stands for. @throws Refusal UNAUTHENTICATED */
  readonly identity: (code: string, thumbprint: string) => Promise<OutsideIdentity>;
  /** Uses it up. @throws Refusal UNAUTHENTICATED */
  readonly spend: (identity: OutsideIdentity, thumbprint: string) => Promise<void>;
  /** This installation. */
  readonly audience: string;
}

/**
 * Signing in at a SAML identity provider, by the page that it always had. Its response is a form that another site posts, with which no
 * `SameSite=Lax` cookie comes; so it is accepted at its own address, which sends the browser on to the callback, with the cookie.
 */
export class SamlFrontSignIn implements SignInProvider {
  readonly name: string;
  readonly #options: SamlFrontOptions;

  constructor(options: SamlFrontOptions) {
    this.#options = options;
    this.name = options.name;
  }

  begin({ state }: SignInSecrets, { thumbprint }: WaitingKey): Promise<string> {
    return this.#options.begin({ thumbprint, state });
  }

  async finish(answer: URLSearchParams, _secrets: SignInSecrets, { thumbprint }: WaitingKey): Promise<ProvenPerson> {
    const { identity, spend, audience } = this.#options;
    const [codes, issuers] = [answer.getAll("code"), answer.getAll("iss")];
    if (codes.length !== 1 || issuers.length !== 1 || issuers[0] !== audience)
      throw signInRefused("answer", "What came back is no answer of this sign-in: begin it again.");
    const person = await identity(codes[0] as string, thumbprint);
    if (person.provider.name !== this.name) throw signInRefused("other-provider", "This answer is another identity provider's.");
    await spend(person, thumbprint);
    return person;
  }
}
