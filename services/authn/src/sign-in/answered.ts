import type { EdgeRequest, EdgeResponse } from "@sallyport/service";
import type { Evidence } from "../evidence/evidence.ts";
import type { Story } from "../evidence/recorded.ts";
import { answeredByPage } from "../http/answered-by-page.ts";
import { refusedPage } from "../http/person-pages.ts";
import { signInRuleOf } from "./refusals.ts";

/** Serves a page. A refusal is on record, and tells the person in a sentence and the rule's name. */
export const answered =
  (evidence: Evidence, name: string, serve: (request: EdgeRequest, story: Story) => Promise<EdgeResponse>) =>
  (request: EdgeRequest): Promise<EdgeResponse> =>
    answeredByPage(
      { evidence, attempt: "session.sign-in", name },
      request,
      (story) => serve(request, story),
      (refusal) => refusedPage(refusal, signInRuleOf(refusal)),
    );

/** An answer that keeps the browser known. */
export const withCookie = (answer: EdgeResponse, cookie: string): EdgeResponse => ({
  ...answer,
  headers: { ...answer.headers, "set-cookie": cookie },
});
