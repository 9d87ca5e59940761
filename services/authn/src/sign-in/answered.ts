import { Refusal } from "@sallyport/contracts";
import type { EdgeRequest, EdgeResponse } from "@sallyport/service";
import type { Evidence } from "../evidence/evidence.ts";
import { recorded, type Story } from "../evidence/recorded.ts";
import { edgeCall, endpoint } from "../http/edge-call.ts";
import { refusedPage } from "../http/person-pages.ts";
import { signInRuleOf } from "./refusals.ts";

/** Serves a page. A refusal is on record, and tells the person in a sentence and the rule's name. */
export const answered =
  (evidence: Evidence, name: string, serve: (request: EdgeRequest, story: Story) => Promise<EdgeResponse>) =>
  async (request: EdgeRequest): Promise<EdgeResponse> => {
    try {
      return await recorded(evidence, "session.sign-in", edgeCall(request, endpoint(name)).call, (story) => serve(request, story));
    } catch (error) {
      if (error instanceof Refusal) return refusedPage(error, signInRuleOf(error));
      throw error;
    }
  };

/** An answer that keeps the browser known. */
export const withCookie = (answer: EdgeResponse, cookie: string): EdgeResponse => ({
  ...answer,
  headers: { ...answer.headers, "set-cookie": cookie },
});
