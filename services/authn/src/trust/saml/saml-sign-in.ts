import { SAML } from "@node-saml/node-saml";
import { sha256 } from "@sallyport/identity";
import type { State } from "@sallyport/state";
import type { KnownIdp } from "./known-idp.ts";
import type { SamlProvider } from "./saml-provider.ts";
import { samlRefused } from "./saml-refusals.ts";
import type { SignInCodes } from "./sign-in-codes.ts";
import type { SignInRequests, Waiting } from "./sign-in-request.ts";
import { type VerifiedResponse, verifyResponse } from "./verify-response.ts";

export interface SamlSignInOptions {
  readonly provider: SamlProvider;
  readonly idp: KnownIdp;
  readonly requests: SignInRequests;
  readonly codes: SignInCodes;
  readonly state: State;
  readonly clock: { now(): number };
}

/** A response that was accepted, and the code that stands for it. */
export interface Accepted {
  readonly verified: VerifiedResponse;
  readonly code: string;
  /** Who waits for it; undefined where nobody asked. */
  readonly waiting: Waiting | undefined;
}

/** Signing in at one SAML identity provider: the Web Browser SSO Profile (Profiles §4.1), as its service provider. */
export class SamlSignIn {
  readonly provider: SamlProvider;
  readonly #options: SamlSignInOptions;

  constructor(options: SamlSignInOptions) {
    this.#options = options;
    this.provider = options.provider;
  }

  /** @throws Refusal UNAUTHENTICATED where no sign-in is begun here */
  assertBegunHere(): void {
    if (!this.provider.spInitiated) throw samlRefused("solicited");
  }

  /** Where the person's browser goes to sign in, with a request of its own. @throws Refusal UNAUTHENTICATED, TARGET_UNAVAILABLE */
  async begin(waiting: Waiting): Promise<string> {
    const { idp, requests, clock } = this.#options;
    this.assertBegunHere();
    const { signInUrl, certificates } = await idp.metadata();
    if (signInUrl === undefined) throw samlRefused("solicited");
    const id = requests.begin(this.provider.name, waiting, clock.now());
    return this.#library(certificates, { entryPoint: signInUrl, generateUniqueId: () => id }).getAuthorizeUrlAsync("", undefined, {});
  }

  /**
   * Accepts a response once, on whatever replica (Profiles §4.1.4.5), and only as the answer to a request of ours, likewise once.
   * @throws Refusal UNAUTHENTICATED with the rule's name; TARGET_UNAVAILABLE, STATE_UNAVAILABLE
   */
  async accept(field: string): Promise<Accepted> {
    const { idp, requests, codes, state, clock } = this.#options;
    const { provider } = this;
    const now = clock.now();
    const waitingFor = (inResponseTo: string | undefined) => {
      if (inResponseTo === undefined && !provider.idpInitiated) throw samlRefused("unsolicited");
      if (inResponseTo !== undefined && !provider.spInitiated) throw samlRefused("solicited");
      return inResponseTo === undefined ? undefined : requests.read(provider.name, inResponseTo, now);
    };
    const verified = await verifyResponse(field, provider, idp, now, waitingFor);
    const { inResponseTo } = verified;
    const waiting = waitingFor(inResponseTo);
    const first = (collection: string, id: string, until: number) =>
      state.create(collection, id, "1", { ttlMs: Math.max(1000, until - now + 1000) });
    if (!(await first("saml-assertions", verified.assertionId, verified.expiresAt))) throw samlRefused("replayed");
    if (waiting !== undefined && !(await first("saml-requests", sha256(inResponseTo as string), waiting.expiresAt)))
      throw samlRefused("request-over");
    // By our own clock, where we asked: whether it can have been shown to a state that was lost does not depend on another's.
    const issuedAt = Math.min(verified.issuedAt, waiting?.begunAt ?? Number.POSITIVE_INFINITY);
    return { verified, code: await codes.make(provider, { ...verified, issuedAt }, waiting?.thumbprint, now), waiting };
  }

  /** What an identity provider wants to know of this service (Metadata §2.4.4). */
  metadata(): string {
    const { decryption, signing } = this.provider;
    // It wants certificates of whoever it would verify; nothing is verified here.
    return this.#library(["-"]).generateServiceProviderMetadata(decryption?.certificate ?? null, signing?.certificate ?? null);
  }

  #library(certificates: readonly string[], more: { entryPoint?: string; generateUniqueId?: () => string } = {}): SAML {
    const { entityId, acs, subject, decryption, signing } = this.provider;
    return new SAML({
      issuer: entityId,
      callbackUrl: acs,
      idpCert: [...certificates],
      identifierFormat: "nameIdFormat" in subject ? subject.nameIdFormat : null,
      disableRequestedAuthnContext: true,
      wantAssertionsSigned: true,
      ...(decryption === undefined ? {} : { decryptionPvk: decryption.key }),
      ...(signing === undefined ? {} : { privateKey: signing.key, signatureAlgorithm: "sha256" as const }),
      ...more,
    });
  }
}
