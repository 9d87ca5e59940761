import { type Action, Refusal } from "@sallyport/contracts";
import { allActions, parseAction } from "./action.ts";
import { nameCovers, parseCeilingName } from "./ceiling-name.ts";

declare const checked: unique symbol;

/** Every action with every secret at every target that it lists; no list is empty. */
export interface CeilingEntry {
  readonly actions: readonly Action[];
  readonly secrets: readonly string[];
  readonly targets: readonly string[];
}

/** The most that a credential allows. Made only by {@link ceilingOf} and its kin, so it is never malformed. */
export interface Ceiling {
  readonly entries: readonly CeilingEntry[];
  readonly [checked]: true;
}

const maxEntries = 64;
const maxNames = 256;

/** A ceiling of at least one entry; an absent list never reads as "all". @throws Refusal INVALID_REQUEST */
export function ceilingOf(entries: readonly CeilingEntry[]): Ceiling {
  if (entries.length === 0) throw malformed("it has no entry; name what the agent may do");
  if (entries.length > maxEntries) throw malformed(`it has more than ${maxEntries} entries`);
  return Object.freeze({ entries: Object.freeze(entries.map(parseEntry)) }) as unknown as Ceiling;
}

/** Everything that policy permits: for a person who names no ceiling of their own. */
export const unlimitedCeiling: Ceiling = ceilingOf([{ actions: allActions, secrets: ["*"], targets: ["*"] }]);

/**
 * Whether everything that `child` allows is allowed by `parent`, each entry of the child's inside one entry of the parent's.
 * Two parent entries never add up to one child entry; that would cost a proof per product, and is refused instead.
 */
export const ceilingContains = (parent: Ceiling, child: Ceiling): boolean =>
  child.entries.every((inner) => parent.entries.some((outer) => entryContains(outer, inner)));

/** The child's entries that no entry of the parent's contains: what a refusal names. */
export const entriesOutside = (parent: Ceiling, child: Ceiling): readonly CeilingEntry[] =>
  child.entries.filter((inner) => !parent.entries.some((outer) => entryContains(outer, inner)));

/**
 * Whether the ceiling allows an action. `secret` and `target` are exact names; leave one out where the action has none
 * (`read` has no target, `revoke` has neither). One entry must allow all of it.
 */
export function ceilingAllows(ceiling: Ceiling, action: Action, secret?: string, target?: string): boolean {
  return ceiling.entries.some(
    (entry) =>
      entry.actions.includes(action) &&
      (secret === undefined || entry.secrets.some((name) => nameCovers(name, secret))) &&
      (target === undefined || entry.targets.some((name) => nameCovers(name, target))),
  );
}

function entryContains(outer: CeilingEntry, inner: CeilingEntry): boolean {
  return (
    inner.actions.every((action) => outer.actions.includes(action)) &&
    inner.secrets.every((name) => outer.secrets.some((other) => nameCovers(other, name))) &&
    inner.targets.every((name) => outer.targets.some((other) => nameCovers(other, name)))
  );
}

function parseEntry(entry: CeilingEntry): CeilingEntry {
  return Object.freeze({
    actions: parseList("actions", entry.actions, parseAction),
    secrets: parseList("secrets", entry.secrets, parseCeilingName),
    targets: parseList("targets", entry.targets, parseCeilingName),
  });
}

function parseList<T>(what: string, items: readonly T[], parse: (item: T) => T): readonly T[] {
  if (items.length === 0) throw malformed(`an entry lists no ${what}; write \`*\` where all are meant`);
  if (items.length > maxNames) throw malformed(`an entry lists more than ${maxNames} ${what}`);
  return Object.freeze([...new Set(items.map(parse))]);
}

const malformed = (why: string) => new Refusal("INVALID_REQUEST", `This ceiling is malformed: ${why}.`);
