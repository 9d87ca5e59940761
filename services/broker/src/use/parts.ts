import type { EvidenceWriter } from "@sallyport/journal";
import type { Clock, Gate } from "@sallyport/service";
import type { DataMasking } from "../data-masking/data-masking.ts";
import type { TreeMasks } from "../masks/tree-masks.ts";
import type { Review } from "../reviews/review.ts";
import type { Reviews } from "../reviews/reviews.ts";
import type { ReadSecret, SecretReader } from "../stores/secret-store.ts";
import type { Injected } from "../targets/inject/injected.ts";
import type { HttpAnswer, Operation } from "../targets/operation.ts";
import type { Holder } from "../targets/sender.ts";
import type { Ask, Judged } from "./ask.ts";
import type { Decisions } from "./decisions.ts";
import type { Fingerprints } from "./fingerprints.ts";
import type { UseCommand } from "./use.ts";

/** What a use stands on; wired once in main. */
export interface UseParts {
  readonly clock: Clock;
  readonly gate: Pick<Gate, "assertLive" | "watch">;
  readonly decisions: Decisions;
  readonly reviews: Reviews;
  readonly evidence: EvidenceWriter;
  readonly masks: TreeMasks;
  readonly reader: SecretReader;
  readonly fingerprints: Fingerprints;
  /** Told how many values were masked in an answer. */
  masked(values: number): void;
  /** Data-masking rules by target. */
  readonly data: DataMasking;
  /** Told how many findings of data-masking rules an answer had, by category. */
  found(data: ReadonlyMap<string, number>): void;
  /** SHA-256 over RFC 8785 JSON of the parsed request, hex. */
  digest(ask: Ask, secretVersion: string, operation: Operation): string;
  /** Puts the secret into the request; where that needs a token or a signature, makes or fetches it. Nothing reaches the target. */
  inject(operation: Operation, secret: ReadSecret, signal: AbortSignal): Promise<Injected>;
  /** The effect: sends the operation with the value in it. @param holder who may use its connection again */
  send(operation: Operation, injected: Injected, signal: AbortSignal, holder?: Holder): Promise<HttpAnswer>;
  /** Opens or joins a review and puts it on record. */
  openReview(request: {
    command: UseCommand;
    judged: Extract<Judged, { kind: "needs-approval" }>;
    digest: string;
    version: string;
    reason: string;
  }): Promise<Review>;
}
