import cards from "credit-card-type";
import { passesLuhn } from "./luhn.ts";

interface Range {
  readonly from: string;
  readonly to: string;
  readonly lengths: readonly number[];
}

/** Shorter ones (some of Maestro's) look like any other number. */
const shortest = 14;

/** By their first digit. */
const ranges = new Map<string, Range[]>();
for (const type of Object.values(cards.types)) {
  const issuer = cards.getTypeInfo(type as string);
  // "6" alone, as Maestro's, says nothing.
  for (const pattern of issuer.patterns as readonly (number | readonly [number, number])[]) {
    const [from, to] = (typeof pattern === "number" ? [pattern, pattern] : pattern).map(String) as [string, string];
    if (from === "6") continue;
    const range = { from, to, lengths: issuer.lengths.filter((length: number) => length >= shortest) };
    for (let first = Number(from[0]); first <= Number(to[0]); first++)
      ranges.set(String(first), [...(ranges.get(String(first)) ?? []), range]);
  }
}

/** A payment card's number: an issuer's range and length (ISO/IEC 7812-1), and Luhn's check digit. */
export function isCard(digits: string): boolean {
  const { length } = digits;
  if (length < shortest || length > 19 || !passesLuhn(digits)) return false;
  return (ranges.get(digits[0]!) ?? []).some(({ from, to, lengths }) => {
    const start = digits.slice(0, from.length);
    return start >= from && start <= to && lengths.includes(length);
  });
}
