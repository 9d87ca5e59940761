import { Refusal } from "@sallyport/contracts";

/** Why a workload's certificate is not accepted: one name a rule (RFC 5280 §6.1, X509-SVID §4 and §5), in the refusal's metadata as `x509`. */
const whys = {
  malformed: "it is no chain of at most five certificates, PEM, the workload's own first",
  key: "the call was proven by another key than the certificate's",
  "key-kind": "its key is neither P-256 nor Ed25519",
  untrusted: "no provider's bundle leads to it",
  signature: "a signature in its chain does not match",
  algorithm: "a signature in its chain is not of SHA-256 or better",
  expired: "a certificate of its chain has run out, or does not begin yet",
  "not-a-ca": "a certificate of its chain signs another, and may not",
  "path-length": "its chain is longer than one of its authorities allows",
  "critical-extension": "a certificate of its chain has a critical extension that is not understood",
  "is-a-ca": "it is itself an authority's",
  "key-usage": "it may not be used to prove who its holder is",
  name: "it does not have exactly one name of the kind that its provider says",
  "trust-domain": "its SPIFFE ID is not of the trust domain",
  "not-allowed": "its name is not among those that its provider allows",
} as const;

export type CertificateRule = keyof typeof whys;

export const certificateRefused = (rule: CertificateRule, cause?: unknown): Refusal =>
  new Refusal("UNAUTHENTICATED", `The workload's certificate is not accepted: ${whys[rule]}.`, {
    metadata: { x509: rule },
    ...(cause === undefined ? {} : { cause }),
  });
