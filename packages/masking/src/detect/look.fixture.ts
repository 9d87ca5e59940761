import assert from "node:assert/strict";
import { DataHash } from "./data-hash.ts";
import { type DataFormat, DataMasker } from "./data-masker.ts";
import { compileRules, type DataRule, type DataRules } from "./data-rules.ts";

/** Every detector, masking. */
export const everything: readonly DataRule[] = [{ detect: ["credentials", "personal"], do: "mask" }];

const hash = new DataHash(new Uint8Array(32).fill(7));

const known = new Map<readonly DataRule[], DataRules>();
function compiled(rules: readonly DataRule[]): DataRules {
  const made = known.get(rules) ?? compileRules(rules);
  known.set(rules, made);
  return made;
}

export interface Looked {
  readonly text: string;
  readonly counts: Readonly<Record<string, number>>;
}

/** What a text becomes that comes in these pieces. */
export function looked(rules: readonly DataRule[], pieces: readonly Uint8Array[], format: DataFormat = "text", passOther = false): Looked {
  const masker = new DataMasker(compiled(rules), { format, hash, passOther });
  const out = [...pieces.map((piece) => masker.push(piece)), masker.end()];
  return { text: Buffer.concat(out).toString(), counts: Object.fromEntries(masker.counts) };
}

export const masked = (rules: readonly DataRule[], text: string, format: DataFormat = "text"): string =>
  looked(rules, [Buffer.from(text)], format).text;

/** What a text becomes: whole, cut in two at every byte, and byte by byte. */
export function sameHoweverSplit(rules: readonly DataRule[], text: string, format: DataFormat = "text"): string {
  const bytes = Buffer.from(text);
  const whole = looked(rules, [bytes], format);
  for (let cut = 1; cut < bytes.length; cut++)
    assert.deepEqual(looked(rules, [bytes.subarray(0, cut), bytes.subarray(cut)], format), whole, `cut at ${cut}: ${text}`);
  const single = [...bytes].map((byte) => Uint8Array.of(byte));
  assert.deepEqual(looked(rules, single, format), whole, `byte by byte: ${text}`);
  return whole.text;
}
