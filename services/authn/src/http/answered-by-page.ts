import { Refusal } from "@sallyport/contracts";
import type { EdgeRequest, EdgeResponse } from "@sallyport/service";
import type { Attempt } from "../evidence/drafts.ts";
import type { Evidence } from "../evidence/evidence.ts";
import { recorded, type Story } from "../evidence/recorded.ts";
import { edgeCall, endpoint } from "./edge-call.ts";

/** What a page is of: how a refusal of it is on record, and by which name. */
export interface PageOf {
  readonly evidence: Evidence;
  readonly attempt: Attempt;
  readonly name: string;
}

/** Serves a person's page. A refusal is on record first, and `refused` tells the person. */
export async function answeredByPage(
  { evidence, attempt, name }: PageOf,
  request: EdgeRequest,
  serve: (story: Story) => Promise<EdgeResponse>,
  refused: (refusal: Refusal) => EdgeResponse,
): Promise<EdgeResponse> {
  try {
    return await recorded(evidence, attempt, edgeCall(request, endpoint(name)).call, serve);
  } catch (error) {
    if (error instanceof Refusal) return refused(error);
    throw error;
  }
}
