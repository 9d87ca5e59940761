import type { FeedService } from "@sallyport/contracts";
import type { Handlers } from "@sallyport/service";
import type { Feed } from "./feed.ts";

/** FeedService. */
export const feedHandlers = (feed: Feed): Handlers<typeof FeedService> => ({
  follow: (questions, call) => feed.follow(questions, call.signal),
});
