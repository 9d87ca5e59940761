import { numbers } from "../detectors/numbers.ts";
import { tokens } from "../detectors/tokens.ts";
import type { Actions } from "../finding.ts";
import { Identifiers } from "./identifiers.ts";
import { NumberGroups } from "./number-groups.ts";
import { TokenMatcher } from "./token-matcher.ts";

/** The built-in detectors that are wanted, made ready: shared by any number of finders, as what they tell of a match is read at once. */
export class KnownDetectors {
  readonly actions: Actions;
  readonly numbers: NumberGroups | undefined;
  readonly identifiers: Identifiers;
  readonly tokens: TokenMatcher;

  /** @param near whether numbers that say too little need a word beside them that tells what they are */
  constructor(actions: Actions, near: boolean) {
    this.actions = actions;
    const wanted = <T extends { readonly category: string }>(all: readonly T[]) => all.filter(({ category }) => actions.has(category));
    this.numbers = wanted(numbers).length === 0 ? undefined : new NumberGroups(wanted(numbers), near);
    this.identifiers = new Identifiers(actions);
    this.tokens = new TokenMatcher(wanted(tokens));
  }
}
