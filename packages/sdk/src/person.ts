import type { Review } from "@sallyport/contracts";
import type { Endpoints } from "./endpoints.ts";
import { exchangeIdToken } from "./exchange-id-token.ts";
import type { Session } from "./session.ts";

/** A person who signed in for themselves: sees reviews, decides them, ends sessions. */
export class Person {
  readonly session: Session;

  constructor(session: Session) {
    this.session = session;
  }

  static async signIn(options: { endpoints: Endpoints; idToken: string }): Promise<Person> {
    return new Person(await exchangeIdToken(options.endpoints, options.idToken));
  }

  /** The reviews that this person may see. @param pendingOnly only those that wait for a decision */
  async reviews(pendingOnly = true): Promise<Review[]> {
    const reviews: Review[] = [];
    for (let pageToken = "", more = true; more; more = pageToken !== "") {
      const page = await this.session.reviews.listReviews({ pendingOnly, pageToken });
      reviews.push(...page.reviews);
      pageToken = page.nextPageToken;
    }
    return reviews;
  }

  async review(reviewId: string): Promise<Review> {
    return (await this.session.reviews.getReview({ reviewId })).review as Review;
  }

  /** @param digest of the request as it was seen: {@link Review.digest} */
  async approve(reviewId: string, digest: string, reason = ""): Promise<Review> {
    return (await this.session.reviews.approve({ reviewId, digest, reason })).review as Review;
  }

  async reject(reviewId: string, digest: string, reason = ""): Promise<Review> {
    return (await this.session.reviews.reject({ reviewId, digest, reason })).review as Review;
  }

  close(): void {
    this.session.close();
  }
}
