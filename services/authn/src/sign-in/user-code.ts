import { randomInt } from "node:crypto";

/** No vowels, so no words; no letter that is taken for another, or for a digit (RFC 8628 §6.1): 34 bits in eight. */
const letters = "BCDFGHJKLMNPQRSTVWXZ";

/** `WDJB-MJHT`. */
export function newUserCode(): string {
  const code = Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join("");
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

/** As {@link newUserCode} writes it, however a person did (RFC 8628 §6.1); undefined where it cannot be one. */
export function parseUserCode(typed: string): string | undefined {
  if (typed.length > 40) return undefined;
  const code = typed.toUpperCase().replace(/[\s\p{P}]/gu, "");
  return /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/.test(code) ? `${code.slice(0, 4)}-${code.slice(4)}` : undefined;
}
