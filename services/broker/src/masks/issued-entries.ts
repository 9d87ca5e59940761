import { type MaskEntry, placeholderFor, refusalFor } from "@sallyport/masking";
import type { DerivedValue } from "../targets/inject/injected.ts";
import type { Derivation } from "./derivation.ts";

/** One value of a tree's mask set. */
export interface IssuedEntry extends MaskEntry {
  /** An account's name: masked in what comes back, and no export where an agent says it. */
  readonly isName: boolean;
}

/**
 * What is masked of a secret: its fields, what is made from them, and the account names that travel with them. Names that are too
 * short or too common to be masked are left out; everything else that cannot be masked is refused by whoever compiles it.
 */
export function entriesOf(secret: string, fields: ReadonlyMap<string, Uint8Array>, derivation: Derivation): IssuedEntry[] {
  const entry = (what: string, value: Uint8Array, isName = false): IssuedEntry => ({
    placeholder: placeholderFor(secret, what),
    value: Uint8Array.from(value),
    isName,
  });
  const made = [...derivation.from(secret, fields)];
  const entries = [
    ...[...fields].map(([field, value]) => entry(field, value, derivation.isName(secret, field))),
    ...made.map(([what, value]) => entry(what, value)),
    ...derivation.names(secret).map((name) => entry("user", Buffer.from(name), true)),
  ];
  for (const [, value] of made) value.fill(0);
  return entries.filter(({ isName, value }) => !isName || refusalFor(value) === undefined);
}

/** The entries of values that were derived for single requests. */
export const entriesOfDerived = (derived: readonly (DerivedValue & { secret: string })[]): IssuedEntry[] =>
  derived.map(({ secret, what, value }) => ({ placeholder: placeholderFor(secret, what), value, isName: false }));

/** The sentence for a field that is no name and cannot be masked, or undefined. */
export function unmaskable(secret: string, fields: ReadonlyMap<string, Uint8Array>, derivation: Derivation): string | undefined {
  for (const [field, value] of fields) {
    const sentence = derivation.isName(secret, field) ? undefined : refusalFor(value);
    if (sentence !== undefined) return `Field "${field}" of ${secret} cannot be masked in what comes back: ${sentence}`;
  }
  return undefined;
}

/** The same for what was derived: looked at before it is kept, so that one value cannot spoil its tree. */
export function unmaskableDerived(secret: string, derived: readonly DerivedValue[]): string | undefined {
  const sentence = derived.map(({ value }) => refusalFor(value)).find((each) => each !== undefined);
  return sentence === undefined ? undefined : `What is derived from ${secret} cannot be masked in what comes back: ${sentence}`;
}
