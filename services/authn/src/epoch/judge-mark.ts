import type { StateMark } from "@sallyport/state";

/** What to do about the state's mark. */
export type Judgement =
  | { kind: "same" }
  /** Another authn has started this generation, or this authn is new here. */
  | { kind: "adopt" }
  /** State was lost: everything that it vouched for must die. */
  | { kind: "raise"; why: "empty" | "other-generation" | "rolled-back"; above: number };

/** Compares where the state stands with where it was last seen. @param known undefined where this authn never saw it */
export function judgeMark(mark: StateMark, known: StateMark | undefined): Judgement {
  const above = Math.max(mark.epoch, known?.epoch ?? 0);
  if (mark.generation === "") return { kind: "raise", why: "empty", above };
  if (known === undefined || mark.epoch > known.epoch) return { kind: "adopt" };
  if (mark.generation !== known.generation || mark.epoch < known.epoch) return { kind: "raise", why: "other-generation", above };
  return mark.tick < known.tick ? { kind: "raise", why: "rolled-back", above } : { kind: "same" };
}
