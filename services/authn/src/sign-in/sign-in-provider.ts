import type { ProvenPerson } from "../trust/kept-identity.ts";

/** What only the browser and authn know of one sign-in at an identity provider. */
export interface SignInSecrets {
  /** 128 random bits, base64url. */
  readonly state: string;
  /** OIDC Core §3.1.2.1. */
  readonly nonce: string;
  /** RFC 7636 §4.1. */
  readonly verifier: string;
}

/** For whom the person signs in. */
export interface WaitingKey {
  /** RFC 7638, of the key that the session will be bound to. */
  readonly thumbprint: string;
}

/** An identity provider where people sign in, with authn as its client. */
export interface SignInProvider {
  readonly name: string;
  /** Where the person's browser goes. @throws Refusal TARGET_UNAVAILABLE */
  begin(secrets: SignInSecrets, waiting: WaitingKey): Promise<string>;
  /**
   * Who comes back.
   * @param answer the parameters that the browser brought to {@link callbackPath}
   * @throws Refusal UNAUTHENTICATED, TARGET_UNAVAILABLE; {@link declinedThere} where the person, or the provider, said no
   */
  finish(answer: URLSearchParams, secrets: SignInSecrets, waiting: WaitingKey): Promise<ProvenPerson>;
}

/** A path for each provider, so that no answer of one can be taken for another's (RFC 9700 §4.4.2.2). */
export const callbackPath = (name: string) => `/oauth/callback/${name}`;
