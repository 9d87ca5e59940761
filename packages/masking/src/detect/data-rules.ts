import { categories as detectable, presets } from "./detectors/catalogue.ts";
import type { CustomRule } from "./find/custom-finder.ts";
import { customPattern } from "./find/custom-pattern.ts";
import { KnownDetectors } from "./find/known-detectors.ts";
import { type Action, strictness } from "./finding.ts";
import { type CompiledPath, compilePath, fieldPath } from "./json/json-path.ts";

/** What to look for, and what becomes of it. Exactly one of `detect`, `pattern`, `fields` and `paths`. */
export interface DataRule {
  /** Categories or presets of the built-in detectors. */
  readonly detect?: readonly string[] | undefined;
  /** An RE2 pattern; see {@link customPattern}. */
  readonly pattern?: string | undefined;
  /** Names of JSON members, wherever they stand; case, `_` and `-` make no difference. */
  readonly fields?: readonly string[] | undefined;
  /** Places in JSON, in the part of JSONPath (RFC 9535) that {@link compilePath} knows. */
  readonly paths?: readonly string[] | undefined;
  /** The category of what `pattern`, `fields` and `paths` find: lower-case letters, digits and `-`. */
  readonly as?: string | undefined;
  readonly do: Action;
  /** Of `detect`: numbers that say too little count without a word beside them that tells what they are. */
  readonly anywhere?: boolean | undefined;
}

export interface FieldRule {
  readonly path: CompiledPath;
  readonly category: string;
  readonly action: Action;
}

/** Rules compiled for looking: immutable, shared by any number of maskers. Where several speak of the same text, the strictest counts. */
export interface DataRules {
  /** Built-in detectors, if any: those that want a word beside a number, and those that do not. */
  readonly known: readonly KnownDetectors[];
  readonly patterns: readonly CustomRule[];
  readonly fields: readonly FieldRule[];
  /** Every category that they may find. */
  readonly categories: readonly string[];
}

/** @throws PathProblem, PatternProblem, or Error for a detector that there is none of */
export function compileRules(rules: readonly DataRule[]): DataRules {
  const near = new Map<string, Action>();
  const anywhere = new Map<string, Action>();
  const patterns: CustomRule[] = [];
  const fields: FieldRule[] = [];
  for (const { detect = [], pattern, fields: names = [], paths = [], as: category = "custom", do: action, anywhere: bare } of rules) {
    for (const name of detect.flatMap(categoriesOf)) {
      const actions = bare === true ? anywhere : near;
      actions.set(name, strictest(action, actions.get(name)));
    }
    if (pattern !== undefined) patterns.push({ category, action, pattern: customPattern(pattern) });
    for (const path of [...names.map(fieldPath), ...paths.map(compilePath)]) fields.push({ path, category, action });
  }
  const all = [...near.keys(), ...anywhere.keys(), ...patterns.map(({ category }) => category), ...fields.map(({ category }) => category)];
  const known = [
    ...(near.size === 0 ? [] : [new KnownDetectors(near, true)]),
    ...(anywhere.size === 0 ? [] : [new KnownDetectors(anywhere, false)]),
  ];
  return { known, patterns, fields, categories: [...new Set(all)] };
}

const categoriesOf = (name: string): readonly string[] => {
  if (Object.hasOwn(presets, name)) return presets[name]!;
  if (detectable.includes(name)) return [name];
  throw new Error(`there is no detector ${name}`);
};

const strictest = (one: Action, other: Action | undefined): Action =>
  other === undefined || strictness.indexOf(one) < strictness.indexOf(other) ? one : other;

/** Of those that speak of the same text, at least one, the first whose action is the strictest. */
export const strictestOf = <T extends { readonly action: Action }>(all: readonly T[]): T =>
  all.reduce((one, other) => (strictness.indexOf(other.action) < strictness.indexOf(one.action) ? other : one));
