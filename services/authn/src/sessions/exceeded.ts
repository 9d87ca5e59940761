import { Refusal } from "@sallyport/contracts";
import { type Ceiling, entriesOutside } from "@sallyport/identity";
import { ceilingLines } from "../evidence/drafts.ts";

/** Each of those above may have been narrowed since it let this one begin. @throws Refusal DELEGATION_EXCEEDED */
export function assertInside(ceiling: Ceiling, above: readonly { readonly ceiling: Ceiling }[]): void {
  for (const one of above) {
    const outside = entriesOutside(one.ceiling, ceiling);
    if (outside.length > 0) throw exceeded(outside);
  }
}

/** Says what exceeds, so that it can be mended. */
function exceeded(outside: Ceiling["entries"]): Refusal {
  const lines = ceilingLines({ entries: outside } as Ceiling);
  const shown = lines[0]?.slice(0, 200);
  return new Refusal(
    "DELEGATION_EXCEEDED",
    `This is more than the parent may do: "${shown}"${lines.length > 1 ? ` and ${lines.length - 1} more` : ""} lies inside none of its ceiling's entries. Ask for less.`,
    { metadata: { exceeds: lines.join("; ").slice(0, 1000) } },
  );
}
