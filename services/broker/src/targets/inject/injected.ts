import type { ClientIdentity } from "@sallyport/egress";

/** A request with the secret in it: what leaves for the target. */
export interface Injected {
  /** Path and query below the base URL. */
  readonly sent: string;
  /** The agent's, and the target's own after them: lower-case names, none twice. */
  readonly headers: readonly (readonly [string, string])[];
  /** Empty where the operation's upload follows. */
  readonly body: Uint8Array;
  /** What was made from the secret for this request, or travels with it: issued values too, masked before anything is sent. */
  readonly derived: readonly DerivedValue[];
  /** Whom TLS shows the target. */
  readonly identity?: ClientIdentity;
  /** To be told the answer's status: a token that the target does not take is not used again. */
  answered?(status: number): Promise<void>;
}

export interface DerivedValue {
  /** What it is, in its placeholder: `access-token`. */
  readonly what: string;
  readonly value: Uint8Array;
  /** Epoch milliseconds after which it is good for nothing. */
  readonly goodUntil: number;
  /** Good for one request only: of these the latest ones are kept. */
  readonly once: boolean;
}
