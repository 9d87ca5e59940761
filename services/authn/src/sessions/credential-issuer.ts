import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { CredentialSchema } from "@sallyport/contracts";
import {
  type CredentialBinding,
  type CredentialSigner,
  ceilingToWire,
  chainToWire,
  credentialClaims,
  maxCredentialSeconds,
  signCredential,
} from "@sallyport/identity";
import type { AgentCertificates } from "../certificates/agent-certificates.ts";
import type { Holder, Session } from "./session.ts";

/** A credential as handed to its holder. */
export type IssuedCredential = MessageInitShape<typeof CredentialSchema> & { readonly token: string; readonly sessionId: string };

export interface IssuerOptions {
  /** The key to sign with now: keys are rotated. */
  readonly signer: () => CredentialSigner;
  readonly issuer: string;
  readonly audience: string;
  /** At most 600. */
  readonly credentialSeconds: number;
  readonly certificates: AgentCertificates;
}

/** When something was found to be so. */
export interface Moment {
  /** Epoch seconds, never later than what was read. */
  readonly second: number;
  /** The state's epoch; a credential of an earlier one is dead. */
  readonly epoch: number;
}

/** Signs credentials for sessions. The only place that does. */
export class CredentialIssuer {
  readonly #options: IssuerOptions;

  constructor(options: IssuerOptions) {
    this.#options = options;
  }

  /** @param moment of when, and of which epoch of the state, everything was true that the credential says */
  async issue(
    session: Session & { readonly holder: Extract<Holder, { kind: "key" }> },
    { second: issuedAt, epoch }: Moment,
  ): Promise<IssuedCredential> {
    const { signer, issuer, audience, credentialSeconds } = this.#options;
    const life = Math.min(credentialSeconds, maxCredentialSeconds);
    const sessionEndsAt = Math.max(issuedAt + 1, Math.floor(session.endsAt / 1000));
    const expiresAt = Math.min(issuedAt + life, sessionEndsAt);
    const { binding, certificateChainPem } = await this.#bind(session, expiresAt);
    const { chain, starts, ceiling } = session;
    const claims = credentialClaims({
      issuer,
      audience,
      chain,
      sessionStarts: starts,
      ceiling,
      binding,
      issuedAt,
      expiresAt,
      sessionEndsAt,
      epoch,
    });
    return {
      token: await signCredential(claims, signer()),
      expiresAt: timestampFromMs(expiresAt * 1000),
      sessionId: session.sid,
      chain: chainToWire(chain),
      ceiling: ceilingToWire(ceiling),
      certificateChainPem,
      sessionEndsAt: timestampFromMs(sessionEndsAt * 1000),
    };
  }

  async #bind(
    session: Session & { readonly holder: Extract<Holder, { kind: "key" }> },
    expiresAt: number,
  ): Promise<{ binding: CredentialBinding; certificateChainPem: string }> {
    const { thumbprint, publicJwk } = session.holder;
    if (session.binding === "dpop") return { binding: { kind: "dpop", thumbprint }, certificateChainPem: "" };
    const certificate = await this.#options.certificates.issue(publicJwk, session.sid, expiresAt);
    return { binding: { kind: "mtls", thumbprint: certificate.thumbprint }, certificateChainPem: certificate.chainPem };
  }
}
