import { Refusal } from "@sallyport/contracts";
import type { Ceiling } from "@sallyport/identity";
import { ceilingLines } from "../evidence/drafts.ts";

/** Says what exceeds, so that it can be mended. */
export function exceeded(outside: Ceiling["entries"]): Refusal {
  const lines = ceilingLines({ entries: outside } as Ceiling);
  const shown = lines[0]?.slice(0, 200);
  return new Refusal(
    "DELEGATION_EXCEEDED",
    `This is more than the parent may do: "${shown}"${lines.length > 1 ? ` and ${lines.length - 1} more` : ""} lies inside none of its ceiling's entries. Ask for less.`,
    { metadata: { exceeds: lines.join("; ").slice(0, 1000) } },
  );
}
