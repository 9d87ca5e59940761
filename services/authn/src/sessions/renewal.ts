import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Refusal } from "@sallyport/contracts";
import { type Ceiling, ceilingContains } from "@sallyport/identity";
import * as drafts from "../evidence/drafts.ts";
import type { Evidence, Origin } from "../evidence/evidence.ts";
import type { RevocationLog } from "../revocation/revocation-log.ts";
import type { CredentialIssuer, IssuedCredential } from "./credential-issuer.ts";
import { assertInside } from "./exceeded.ts";
import { liveLineage } from "./lineage.ts";
import type { Times } from "./live-second.ts";
import type { Session } from "./session.ts";
import type { SessionStore } from "./session-store.ts";

export interface RenewalOptions extends Times {
  readonly sessions: SessionStore;
  readonly revocations: RevocationLog;
  readonly issuer: CredentialIssuer;
  readonly evidence: Evidence;
}

/**
 * The next credential of a session, for the key that it has, while it and all above it live. How old the last one is does not
 * matter, nor what it said: all that the next one says is in the session's record.
 */
export class Renewal {
  readonly #options: RenewalOptions;

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  /**
   * @param narrower replaces the session's ceiling from now on, and ends its descendants' credentials
   * @param thumbprint of the key that the call was proven with; undefined where it was proven by the session's certificate
   * @throws Refusal CREDENTIAL_EXPIRED, CREDENTIAL_REVOKED, PROOF_INVALID, DELEGATION_EXCEEDED
   */
  async renew(sid: string, narrower: Ceiling | undefined, thumbprint: string | undefined, origin: Origin): Promise<IssuedCredential> {
    const { issuer, evidence } = this.#options;
    const lineage = await liveLineage(sid, this.#options);
    const { holder, binding } = lineage.session;
    if (holder.kind !== "key" || (thumbprint === undefined ? binding !== "mtls" : holder.thumbprint !== thumbprint)) {
      throw new Refusal("PROOF_INVALID", "This session belongs to another key: prove the call with the key that began it.");
    }
    const wanted = narrower ?? lineage.session.ceiling;
    assertInside(wanted, narrower === undefined ? lineage.ancestors : [lineage.session, ...lineage.ancestors]);
    const narrows = !ceilingContains(wanted, lineage.session.ceiling);
    const renewed = { ...lineage.session, holder, ceiling: wanted };
    if (narrows) await this.#narrow(renewed, lineage.version);
    const credential = await issuer.issue(renewed, lineage.moment);
    await evidence.record(drafts.renewed(renewed.chain, wanted, narrows, origin));
    return credential;
  }

  /** The record first, so that who reads the log and then the record never sees the revocation with the old ceiling. */
  async #narrow(session: Session, version: number): Promise<void> {
    const { sessions, revocations, clock } = this.#options;
    if (!(await sessions.replace(session, version))) {
      throw new Refusal("STATE_UNAVAILABLE", "This session was changed at the same moment: try again.", { retryAfterMs: 100 });
    }
    await revocations.append({ subject: { case: "narrowedSessionId", value: session.sid }, at: timestampFromMs(clock.now()) });
    await revocations.readToEnd();
  }
}
