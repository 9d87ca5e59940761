import type { Action } from "@sallyport/contracts";
import type { Chain } from "@sallyport/identity";

/** A review that ended in a grant, as whoever asks holds it. */
export interface Grant {
  /** The approval's name in the policy. */
  readonly name: string;
  /** The digest that was approved: SHA-256 of the canonical request, hex. */
  readonly requestDigest: string;
  /** Epoch milliseconds; counts until then. */
  readonly expiresAt: number;
}

/** What is asked of policy. Who asks is the verified chain; everything else is what they want. */
export interface Question {
  readonly chain: Chain;
  readonly action: Action;
  /** The secret's name, or empty where the action concerns none. */
  readonly secret: string;
  /** The target's name, or empty. */
  readonly target: string;
  /** What else is known of the request. Only what the schema has for the action counts; `approvals` never does. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** SHA-256 of the canonical request, hex, or empty: grants for another digest do not count. */
  readonly requestDigest: string;
  readonly grants: readonly Grant[];
}
