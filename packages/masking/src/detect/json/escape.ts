import { utf8 } from "../../spelling.ts";

/** Of a JSON string: what an escape (RFC 8259 §7) stands for, and how many bytes it takes. */
type Escape = { readonly bytes: readonly number[]; readonly length: number } | "more" | "none";

/** Line breaks and other control characters: they part words. */
const BREAK = 13;
const simple: Readonly<Record<number, number>> = { 34: 34, 92: 92, 47: 47, 98: BREAK, 102: BREAK, 110: BREAK, 114: BREAK, 116: 9 };

/** The escape that `text` begins with. */
export function escaped(text: Buffer): Escape {
  const second = text[1];
  if (second === undefined) return "more";
  const byte = simple[second];
  if (byte !== undefined) return { bytes: [byte], length: 2 };
  if (second !== 117) return "none";
  const digits = text.toString("latin1", 2, 6);
  if (!/^[0-9A-Fa-f]*$/.test(digits)) return "none";
  if (digits.length < 4) return "more";
  const code = Number.parseInt(digits, 16);
  if (code < 32) return { bytes: [code === 9 ? 9 : BREAK], length: 6 };
  // Halves of a pair come out as three bytes each; finders look at ASCII only.
  return { bytes: utf8(code), length: 6 };
}
