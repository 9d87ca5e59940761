import { Binding } from "@sallyport/contracts";
import type { ProofMaker } from "@sallyport/identity/proof-maker";
import type { CeilingInit } from "./ceiling.ts";
import type { Endpoints } from "./endpoints.ts";
import { type BindingKind, Session } from "./session.ts";

/** RFC 8693 §3. */
export const idTokenType = "urn:ietf:params:oauth:token-type:id_token";

export interface ExchangeOptions {
  /** An agent of that identity; left out, or empty: the identity itself. */
  readonly agentName?: string;
  /** The most that the credential may do. Only a person who signs in for themselves may leave it out. */
  readonly ceiling?: CeilingInit;
  /** A new one unless given. */
  readonly key?: ProofMaker | undefined;
  readonly binding?: BindingKind | undefined;
  /** RFC 8693 `subject_token_type`; {@link idTokenType} unless given. */
  readonly tokenType?: string | undefined;
}

/** A code that the browser brought from a SAML sign-in. */
export const samlCodeType = "urn:sallyport:token-type:saml-code";

const bindings = { dpop: Binding.DPOP, mtls: Binding.MTLS } as const;

/** The number of a binding in the contract. */
export const bindingOf = ({ binding }: Session): Binding => bindings[binding];

/** Turns an OIDC ID token, or what else `tokenType` says, into a session for a key (RFC 8693). @throws Refusal UNAUTHENTICATED, INVALID_REQUEST */
export async function exchangeIdToken(
  endpoints: Endpoints,
  idToken: string,
  { agentName = "", ceiling, key, binding, tokenType = idTokenType }: ExchangeOptions = {},
): Promise<Session> {
  const session = new Session(endpoints, key, undefined, binding);
  try {
    const limit = ceiling === undefined ? {} : { ceiling };
    const request = { subjectToken: idToken, subjectTokenType: tokenType, agentName, ...limit, binding: bindingOf(session) };
    session.adopt((await session.tokens.exchange(request)).credential);
    return session;
  } catch (error) {
    session.close();
    throw error;
  }
}
