import { type Reason, Refusal } from "@sallyport/contracts";
import type { CredentialVerification, ProofVerification, RevokedBy } from "@sallyport/identity";

type CredentialRefused = Extract<CredentialVerification, { kind: "refused" }>;
type ProofRefused = Extract<ProofVerification, { kind: "refused" }>;

/** The header that carries a fresh nonce to the caller (RFC 9449 §8.2). */
export const nonceHeader = "dpop-nonce";

/** A call without a credential that can be read from it. */
export const noCredential = (scheme: "DPoP" | "Bearer") =>
  new Refusal(
    "UNAUTHENTICATED",
    `This call carries no credential as \`authorization: ${scheme} …\`; sign in with \`sallyport login\`, or redeem an enrolment ticket.`,
  );

/** A credential that was not accepted. */
export function credentialRefused({ why, sentence }: CredentialRefused): Refusal {
  const metadata = { fault: why };
  if (why === "expired")
    return new Refusal(
      "CREDENTIAL_EXPIRED",
      `${sentence} Renew it with the key that it is bound to; once its session has ended, sign in again. Where it is new, the clocks of authn and this service differ.`,
      { metadata },
    );
  if (why === "not-yet-valid") return new Refusal("UNAUTHENTICATED", `${sentence} Set the clocks, then try again.`, { metadata });
  return new Refusal("UNAUTHENTICATED", `${sentence} Sign in again, or ask whoever started this agent for a new ticket.`, { metadata });
}

/** An expired credential whose session cannot live any more. */
export const sessionOver = () =>
  new Refusal(
    "CREDENTIAL_EXPIRED",
    "The life of this session, or of one above it, is over; sign in again, or have your parent delegate anew.",
  );

/** A credential whose chain was ended, or that is of another epoch than authn's. */
export const credentialRevoked = (by: RevokedBy | "epoch") =>
  new Refusal("CREDENTIAL_REVOKED", revokedSentences[by], { metadata: { revoked_by: by } });

const revokedSentences: Record<RevokedBy | "epoch", string> = {
  session: "The session of this agent, or of one above it, was ended; ask whoever started it to delegate anew.",
  agent: "This agent, or one above it, was revoked; ask whoever started it to delegate anew.",
  principal: "All sessions of this chain's principal were ended; sign in again.",
  provider: "All sessions that began at this trust provider were ended; sign in again.",
  "started-before": "All sessions as old as this one were ended; sign in again.",
  narrowed: "The ceiling above this agent was narrowed; renew the credential to go on inside the new one.",
  epoch: "Sallyport's state was lost, and everything issued before is dead; sign in again.",
};

/** A call without a proof. @param nonce what the proof has to carry */
export const proofMissing = (nonce: string) =>
  new Refusal("PROOF_REQUIRED", "This call carries no proof of the caller's key; send one as `dpop: …` with the nonce in `dpop-nonce`.", {
    metadata: { fault: "absent", [nonceHeader]: nonce },
  });

/** A proof that did not hold. @param nonce what the next one may carry */
export function proofRefused({ why, sentence }: ProofRefused, nonce: string): Refusal {
  const metadata = { fault: why, [nonceHeader]: nonce };
  if (why === "replays-full") return new Refusal("RATE_LIMITED", sentence, { metadata, retryAfterMs: 5_000 });
  const reason: Reason = why.startsWith("nonce-") ? "PROOF_REQUIRED" : "PROOF_INVALID";
  return new Refusal(reason, sentence, { metadata });
}

/** A credential shown at a door, or with a certificate, that it is not bound to. */
export const wrongBinding = (sentence: string) => new Refusal("PROOF_INVALID", sentence, { metadata: { fault: "wrong-key" } });
