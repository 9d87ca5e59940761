import type { HashText } from "../merkle/hash.ts";
import type { Finding } from "./finding.ts";

/** A record as the file has it now. */
export interface Found {
  readonly leaf: HashText;
  readonly uid: string | undefined;
}

/**
 * Names what happened to the first record that is not where it was signed to be.
 *
 * @param at index of the first difference
 * @param signed the signed leaf at an index
 * @param size how many leaves are signed
 * @param found the records that the file has from `at` on, some way ahead; empty where it ends there
 * @param ends whether nothing follows in later files either
 */
export function nameDifference(
  at: number,
  signed: { leaf(index: number): HashText; size: number },
  found: readonly Found[],
  ends: boolean,
): Finding {
  const now = found[0];
  if (now === undefined) return ends ? truncated(at, signed.size) : dropped(at, undefined, undefined);
  const isNow = (index: number) => signed.leaf(index) === now.leaf;
  const ahead = Math.min(signed.size, at + lookAhead);
  for (let index = at + 1; index < ahead; index++) {
    if (!isNow(index)) continue;
    const moved = found.findIndex(({ leaf }) => leaf === signed.leaf(at));
    if (moved < 0) return dropped(at, index - 1, now.uid);
    const sentence = `Record ${at} was moved: record ${index} stands in its place, and it now stands at ${at + moved}.`;
    return { what: "reordered", index: at, uid: found[moved]?.uid, sentence };
  }
  for (let index = Math.min(at, signed.size) - 1; index >= 0; index--) {
    if (!isNow(index)) continue;
    return {
      what: "duplicated",
      index: at,
      uid: now.uid,
      sentence: `Record ${index} (${now.uid ?? "no uid"}) stands a second time at ${at}.`,
    };
  }
  if (at < signed.size && found[1]?.leaf === signed.leaf(at)) {
    return { what: "inserted", index: at, uid: now.uid, sentence: `A record that was never signed was inserted at ${at}.` };
  }
  const sentence = `Record ${at}${now.uid === undefined ? "" : ` (${now.uid})`} was edited: its bytes are not the ones that were signed.`;
  return { what: "edited", index: at, uid: now.uid, sentence };
}

/** Records that are looked at ahead of a difference. */
export const lookAhead = 4096;

function dropped(from: number, to: number | undefined, next: string | undefined): Finding {
  const which = to === undefined || to === from ? `Record ${from} was dropped` : `Records ${from} to ${to} were dropped`;
  return {
    what: "dropped",
    index: from,
    ...(to === undefined ? {} : { to }),
    sentence: next === undefined ? `${which}.` : `${which}: ${next} follows where it should not.`,
  };
}

export const truncated = (from: number, size: number): Finding => ({
  what: "truncated",
  index: from,
  to: size - 1,
  sentence: `The log was truncated: ${size - from === 1 ? `record ${from} is` : `records ${from} to ${size - 1} are`} missing from its end.`,
});
