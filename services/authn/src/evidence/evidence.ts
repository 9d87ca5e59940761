import type { Draft } from "@sallyport/evidence";

/** Where authn's records go: durable before a promise resolves. */
export interface Evidence {
  /** @throws Refusal AUDIT_UNAVAILABLE */
  record(draft: Draft): Promise<string>;
  /** @throws Refusal AUDIT_UNAVAILABLE */
  intent(draft: Draft): Promise<{ readonly uid: string; outcome(draft: Draft): Promise<string> }>;
  /** Never throws: a refusal is given even where it cannot be recorded. Floods are summed up. */
  refusal(draft: Draft): Promise<string | undefined>;
}

/** Where a call came from, for its records. */
export interface Origin {
  readonly address: string | undefined;
  /** Thumbprint of the key that it was proven with. */
  readonly thumbprint?: string | undefined;
  /** W3C `traceparent`. */
  readonly traceparent?: string | undefined;
}
