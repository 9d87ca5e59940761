import { Binding } from "@sallyport/contracts";
import { type Delegation, delegate, ProofMaker, readHandover, Session } from "@sallyport/sdk";
import type { Doors } from "./doors.ts";

/** What a connection to the broker's proxy is opened with: a client certificate, and the credential that is bound to it. */
export interface Proof {
  readonly token: string;
  /** PEM: the certificate with its issuer, and the key. */
  readonly certificate: string;
  readonly key: string;
}

/** Of a credential's life, the part after which it is renewed; and the pause after a renewal that failed, in milliseconds. */
const renewAfter = 2 / 3;
const retryMs = 2_000;
/** Milliseconds that a tool's end waits for its session's. */
const endMs = 2_000;

/** The nested agent that a tool acts as. Its key is made here and stays here; so does its credential, which is renewed as long as it lives. */
export class ToolAgent {
  readonly #session: Session;
  readonly #key: string;
  #timer: NodeJS.Timeout | undefined;

  private constructor(session: Session, key: string) {
    this.#session = session;
    this.#key = key;
    this.#renewIn(renewAfter * (this.#endsAt - Date.now()));
  }

  /** Delegates from the parent's session to a key made here. @throws Refusal DENIED_BY_POLICY, DELEGATION_EXCEEDED, TARGET_UNAVAILABLE */
  static async start(parent: Session, delegation: Delegation, { authnMtls }: Pick<Doors, "authnMtls">): Promise<ToolAgent> {
    const key = ProofMaker.generate();
    const { handover } = await delegate(parent, { ...delegation, thumbprint: key.thumbprint });
    const { ticket } = readHandover(handover);
    const session = new Session({ ...parent.endpoints, mtls: { authn: authnMtls, broker: authnMtls } }, key, undefined, "mtls");
    try {
      session.adopt((await session.delegations.redeemTicket({ ticket, binding: Binding.MTLS })).credential);
      return new ToolAgent(session, key.privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    } catch (error) {
      session.close();
      throw error;
    }
  }

  get proof(): Proof {
    const { token, certificateChainPem: certificate } = this.#session.credential;
    return { token, certificate, key: this.#key };
  }

  /** Ends the session, with whatever still runs in it. One that cannot be told to end does so with its credential. */
  async end(): Promise<void> {
    clearTimeout(this.#timer);
    const subject = { case: "sessionId", value: this.#session.sessionId } as const;
    await this.#session.revocations.revoke({ subject, reason: "the tool has ended" }, { timeoutMs: endMs }).catch(() => undefined);
    this.#session.close();
  }

  get #endsAt(): number {
    return Number(this.#session.credential.expiresAt?.seconds ?? 0n) * 1000;
  }

  #renewIn(ms: number): void {
    this.#timer = setTimeout(() => void this.#renew(), Math.max(1_000, ms)).unref();
  }

  async #renew(): Promise<void> {
    try {
      this.#session.adopt((await this.#session.tokens.renew({})).credential);
      this.#renewIn(renewAfter * (this.#endsAt - Date.now()));
    } catch {
      // Whoever needs the credential is told by the broker once it has ended.
      this.#renewIn(retryMs);
    }
  }
}
