import { createHash, randomBytes } from "node:crypto";
import { Masker, MaskSet, placeholderFor } from "@sallyport/masking";
import { type Figure, median, rounded, type Settings } from "./figure.ts";
import { plainText, pushAll, rate, repeated, textBytes, word } from "./megabytes.ts";

/** Kinds of text, by how much in them looks like the beginning of a value in some encoding: little first. */
const texts = {
  text: plainText,
  JSON: () =>
    repeated((index) => `{"id":${index},"name":"${word(index)}","note":"say \\"${word(index + 1)}\\"","sum":${index * 37}.50},\n`),
  URLs: () => repeated((index) => `q=${encodeURIComponent(`${word(index)} & ${word(index + 1)}/${index}`)}&`),
  base64: () => Buffer.from(randomBytes(textBytes).toString("base64")).subarray(0, textBytes),
  "near misses": (values: readonly Buffer[]) =>
    repeated((index) => (values[index % values.length] as Buffer).toString("latin1", 0, 19).concat("!")),
} satisfies Record<string, (values: readonly Buffer[]) => Buffer>;

/**
 * Megabytes a second (10⁶ bytes) that one core masks, by kind of text, with so many secrets looked for in all encodings. Beside it: the same values
 * looked for as they are alone, in one alternation of a regular expression, nothing split and nothing decoded.
 */
export function masking({ runs, say }: Settings, secrets: 100 | 1000): Figure[] {
  const values = Array.from({ length: secrets }, (_, index) =>
    Buffer.from(
      createHash("sha256")
        .update(`bench ${index}`)
        .digest("base64")
        .slice(0, 20 + (index % 24)),
    ),
  );
  const set = MaskSet.compile(values.map((value, index) => ({ placeholder: placeholderFor(`bench/${index}`, "value"), value })));
  const alternation = new RegExp(values.map((value) => value.toString("latin1").replaceAll(/[+/]/gu, "\\$&")).join("|"), "u");
  return Object.entries(texts).map(([kind, make]) => {
    const text = make(values);
    const latin = text.toString("latin1");
    // What V8 has seen run often it compiles.
    for (let round = 0; round < 3; round++) mask(set, text);
    const measured = Array.from({ length: runs }, () => ({
      value: rate(() => mask(set, text)),
      peerValue: rate(() => {
        if (alternation.test(latin)) throw new Error("a value stands in the text");
      }),
    }));
    const value = rounded(median(measured.map((run) => run.value)));
    const peerValue = rounded(median(measured.map((run) => run.peerValue)));
    say(`masking.${secrets}, ${kind}: ${value} MB/s`);
    return {
      name: `masking.${secrets}`,
      kind,
      value,
      unit: "MB/s",
      p50: null,
      p99: null,
      peer: "a regular expression, raw only",
      peerValue,
      ratio: rounded(value / peerValue),
      runs: measured.map((run) => ({ value: rounded(run.value), peerValue: rounded(run.peerValue) })),
    };
  });
}

function mask(set: MaskSet, text: Buffer): void {
  const masker = new Masker(set);
  pushAll(masker, text);
  if (masker.count > 0) throw new Error("a value stands in the text");
}
