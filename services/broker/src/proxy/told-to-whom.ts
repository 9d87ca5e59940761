import { Action, Refusal } from "@sallyport/contracts";
import type { Caller } from "@sallyport/service";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { canonicalPath } from "../targets/path.ts";
import { type Ask, denied, judge } from "../use/ask.ts";
import type { Decisions } from "../use/decisions.ts";
import type { Found } from "./destinations.ts";

/**
 * What is wrong with a tool's request can tell of its target: how large a body it takes, which headers the broker sets there. So it
 * is told to those whom policy allows the target; to anybody else a target is like one that there is not.
 *
 * @param method as it is judged
 * @returns what the tool is to be told instead
 */
export async function toldToWhom(
  error: unknown,
  { target: name, path }: Found,
  method: string,
  { caller, catalogue, decisions, signal }: { caller: Caller; catalogue: Catalogue; decisions: Decisions; signal: AbortSignal },
): Promise<unknown> {
  if (!(error instanceof Refusal) || (error.reason !== "INVALID_REQUEST" && error.reason !== "TOO_LARGE")) return error;
  try {
    const target = catalogue.target(name);
    // Where the path itself cannot be read, that is what is wrong, whatever the target.
    const context = { method, path: canonicalPath(path).path };
    const ask: Ask = { caller, action: Action.USE, secret: catalogue.secretFor("", target), secretImplied: true, target, context };
    const judged = await judge(ask, decisions, {}, signal);
    return judged.kind === "denied" ? denied(ask, judged) : error;
  } catch (other) {
    return other;
  }
}
