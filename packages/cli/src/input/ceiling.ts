import { printable, Refusal } from "@sallyport/contracts";
import { actionName, actionNamed, allActions } from "@sallyport/identity";
import type { CeilingInit } from "@sallyport/sdk";
import type { Command } from "commander";
import { collect } from "./collect.ts";

export interface CeilingOptions {
  readonly action: readonly string[];
  readonly secret: readonly string[];
  readonly target: readonly string[];
}

/** The most that a credential may do, one entry: every action with every secret at every target named. */
export const withCeilingOptions = (command: Command): Command =>
  command
    .option("--action <name>", "an action it may take: use, read, … (repeatable)", collect, [])
    .option("--secret <name>", "a secret it may touch: exact, or ending in /*, or * (repeatable)", collect, [])
    .option("--target <name>", "a target it may call: exact, or ending in /*, or * (repeatable)", collect, []);

/** @throws Refusal INVALID_REQUEST where a part is missing: what is absent never reads as all */
export function ceilingOf(options: CeilingOptions): CeilingInit {
  const { action, secret, target } = options;
  if (action.length === 0 || secret.length === 0 || target.length === 0) {
    throw new Refusal("INVALID_REQUEST", "Say the most that it may do: at least one --action, one --secret and one --target; * is all.");
  }
  return { entries: [{ actions: action.map(parseActionNamed), secrets: [...secret], targets: [...target] }] };
}

export const isCeilingNamed = ({ action, secret, target }: CeilingOptions): boolean => action.length + secret.length + target.length > 0;

function parseActionNamed(name: string) {
  const action = actionNamed(name);
  if (action !== undefined) return action;
  throw new Refusal(
    "INVALID_REQUEST",
    `There is no action "${printable(name, 40)}": name one of ${allActions.map(actionName).join(", ")}.`,
  );
}
