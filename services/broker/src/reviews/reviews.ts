import { randomBytes } from "node:crypto";
import { Refusal } from "@sallyport/contracts";
import type { Clock } from "@sallyport/service";
import type { State } from "@sallyport/state";
import type { Review, Reviewer } from "./review.ts";
import { stateAt } from "./review.ts";
import type { ReviewSeal } from "./seal.ts";
import { type Counted, countVote } from "./vote.ts";

/** A review with the version of its entry in state: what a compare-and-set needs. */
interface Stored {
  readonly review: Review;
  readonly version: number;
}

/** What becomes of reviews, as it is counted. */
export type ReviewEvent = "opened" | "granted" | "rejected" | "spent" | "expired";

export type NewReview = Omit<Review, "id" | "state" | "createdAt" | "expiresAt" | "votes" | "sealedPreview" | "grantExpiresAt">;

/** How long an ended review can still be looked at, in milliseconds. */
const keptMs = 24 * 3_600_000;

/**
 * The reviews of an installation, in shared state. Every change is one compare-and-set on the whole review, so that the
 * first terminal state wins on every replica and a grant is spent once.
 */
export class Reviews {
  readonly #state: State;
  readonly #seal: ReviewSeal;
  readonly #clock: Clock;
  readonly #told: (event: ReviewEvent) => void;

  /** @param told of each change that this replica made */
  constructor(state: State, seal: ReviewSeal, clock: Clock, told: (event: ReviewEvent) => void = () => {}) {
    this.#state = state;
    this.#seal = seal;
    this.#clock = clock;
    this.#told = told;
  }

  /** Opens a review, or joins the one that is open for the same digest. */
  async open(request: NewReview, preview: string): Promise<{ review: Review; opened: boolean }> {
    const now = this.#clock.now();
    const known = await this.#state.get("reviews-by-digest", request.digest);
    if (known !== undefined) {
      const review = await this.find(known.value);
      if (review !== undefined && ["pending", "granted"].includes(stateAt(review, now))) return { review, opened: false };
    }
    const id = randomBytes(12).toString("base64url");
    const reviewMs = Math.min(...request.rules.map((rule) => rule.reviewMs));
    const review: Review = {
      ...request,
      id,
      state: "pending",
      createdAt: now,
      expiresAt: now + reviewMs,
      votes: [],
      sealedPreview: this.#seal.seal(preview, `${id} ${request.digest}`),
    };
    const options = { ttlMs: reviewMs + keptMs };
    await this.#state.create("reviews", id, this.#seal.wrap(review), options);
    // Of two identical requests at once one gets the pointer; the other takes its review back and joins.
    const first =
      known === undefined
        ? await this.#state.create("reviews-by-digest", request.digest, id, options)
        : await this.#state.replace("reviews-by-digest", request.digest, known.version, id, options);
    if (!first) {
      await this.#state.delete("reviews", id);
      return this.open(request, preview);
    }
    this.#told("opened");
    return { review, opened: true };
  }

  async find(id: string): Promise<Review | undefined> {
    return (await this.#stored(id))?.review;
  }

  /** The masked preview of a review's body. */
  preview(review: Review): string {
    return this.#seal.open(review.sealedPreview, `${review.id} ${review.digest}`);
  }

  /** Reviews by id, at most `limit`. */
  async list(after: string | undefined, limit: number): Promise<Review[]> {
    const entries = await this.#state.list("reviews", after === undefined ? { limit } : { after, limit });
    return entries.map(({ entry }) => this.#unwrap(entry.value));
  }

  /** Counts a vote; races between votes are decided by the state, one after the other. */
  async vote(
    id: string,
    by: Reviewer,
    ballot: { approve: boolean; digest: string; reason: string },
  ): Promise<Counted | { kind: "unknown" }> {
    for (let attempt = 0; attempt < 20; attempt++) {
      const stored = await this.#stored(id);
      if (stored === undefined) return { kind: "unknown" };
      const counted = countVote(stored.review, by, ballot, this.#clock.now());
      if (counted.kind === "refused") return counted;
      if (!(await this.#replace(stored, counted.review))) continue;
      if (counted.kind !== "counted") this.#told(counted.kind);
      return counted;
    }
    throw new Refusal("STATE_UNAVAILABLE", "Too many votes at once on this review; try again.");
  }

  /** Spends a grant: true for exactly one caller over all replicas. */
  async spend(id: string, digest: string): Promise<boolean> {
    const stored = await this.#stored(id);
    if (stored === undefined || stored.review.digest !== digest) return false;
    if (stateAt(stored.review, this.#clock.now()) !== "granted") return false;
    return this.#ended(stored, "spent");
  }

  /** Marks a review that ran out; true for the one replica that did, which then puts it on record. */
  async expire(review: Review): Promise<boolean> {
    const stored = await this.#stored(review.id);
    if (stored === undefined || stored.review.state === "expired" || stateAt(stored.review, this.#clock.now()) !== "expired") return false;
    return this.#ended(stored, "expired");
  }

  async #ended(stored: Stored, state: "spent" | "expired"): Promise<boolean> {
    const done = await this.#replace(stored, { ...stored.review, state });
    if (done) this.#told(state);
    return done;
  }

  #replace(stored: Stored, review: Review): Promise<boolean> {
    return this.#state.replace("reviews", review.id, stored.version, this.#seal.wrap(review), {
      ttlMs: keptMs + review.expiresAt - review.createdAt,
    });
  }

  async #stored(id: string): Promise<Stored | undefined> {
    const entry = await this.#state.get("reviews", id);
    return entry === undefined ? undefined : { review: this.#unwrap(entry.value), version: entry.version };
  }

  #unwrap(text: string): Review {
    const review = this.#seal.unwrap(text);
    if (review === undefined) {
      throw new Refusal(
        "STATE_UNAVAILABLE",
        "A review in shared state was not written by a broker of this installation; nothing is decided by it. Tell the operator.",
      );
    }
    return review as Review;
  }
}
