import assert from "node:assert/strict";
import fc from "fast-check";
import { encodingsOf, Masker, MaskSet, placeholderFor, refusalFor } from "./index.ts";
import type { Match, Reading } from "./search.ts";
import { searchOf } from "./search-of.ts";

/** Layers that read every byte: the oracle. What the scout says holds nothing is not read otherwise, and what comes out must be the same. */
function byLayersAlone(set: MaskSet, found: (match: Match) => void): Reading | undefined {
  const layer = searchOf(set, found, { scouted: false });
  if (layer === undefined) return undefined;
  return { read: (bytes) => layer.read(bytes, 0, bytes.length), partial: () => layer.partial(), finish: () => layer.finish() };
}

const secret = fc
  .oneof(
    fc.string({ unit: "grapheme-ascii", minLength: 8, maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(..."abcXYZ019+/=-_%&\\ "), minLength: 8, maxLength: 24 }),
    fc.string({ unit: fc.constantFrom(..."ab"), minLength: 9, maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 8, maxLength: 32 }),
    fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 8, maxLength: 16 }),
    fc.string({ unit: "grapheme-composite", minLength: 8, maxLength: 16 }),
  )
  .filter((value) => refusalFor(Buffer.from(value)) === undefined && !/[\u0000\b\r\n[\]]/u.test(value));

const letters = (set: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...set), maxLength }).map((text) => Buffer.from(text));
const noise = fc.oneof(
  letters('abcXYZ019+/=-_%\\&;#x{}"\r\n :,', 40),
  letters("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 120),
  letters("0123456789abcdef:, xX-", 90),
  letters("0123456789, ", 60),
  letters("the order was paid and shipped. \n", 200),
  letters('{"id":1,"a":"b\\u00e9\\n\\"","c":[1,2]}', 120),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(Buffer.from(bytes).toString("base64"))),
  letters("aZ\0\b\r\n\u001b[m%25\\u00\u200b", 60),
);

/** Ways to write a value that `encodingsOf` does not have. */
function more(value: Buffer): Buffer[] {
  const base64 = value.toString("base64");
  return [
    Array.from(value).join(", "),
    Array.from(value.toString("latin1")).join(","),
    `[${Array.from(value).join(",\n  ")}]`,
    base64.replaceAll("/", "\\/"),
    encodeURIComponent(base64),
    base64.replaceAll(/[A-F+=/0-9]/gu, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    `%${Buffer.concat([Buffer.from([0xd3, 0x4d, 0x35]), value]).toString("base64")}`,
    value.toString("hex").replaceAll(/..(?=.)/gu, "$&, "),
    Buffer.from(value.toString("hex")).toString("base64"),
    Buffer.from(value.toString("utf8"), "utf16le").toString("base64"),
  ].map((text) => Buffer.from(text));
}

interface Case {
  readonly values: readonly string[];
  readonly text: Buffer;
}

/** Noise with values in any encoding in it, whole, cut short, begun late, doubled, with something put in. */
const cases: fc.Arbitrary<Case> = fc.array(secret, { minLength: 1, maxLength: 6 }).chain((values) => {
  const forms = values.flatMap((value) => [...encodingsOf(value).map(({ bytes }) => Buffer.from(bytes)), ...more(Buffer.from(value))]);
  const form = fc.nat(forms.length - 1).map((at) => forms[at]!);
  const changed = fc.tuple(form, fc.nat(200), fc.nat(200), noise).map(([bytes, one, two, put]) => {
    const [from, to] = [one % (bytes.length + 1), two % (bytes.length + 1)];
    switch (one % 4) {
      case 0:
        return bytes.subarray(0, to);
      case 1:
        return bytes.subarray(from);
      case 2:
        return Buffer.concat([bytes.subarray(0, from), put.subarray(0, 1 + (two % 5)), bytes.subarray(from)]);
      default:
        return Buffer.from(bytes.toString("base64"));
    }
  });
  const part = fc.oneof({ arbitrary: noise, weight: 3 }, { arbitrary: form, weight: 1 }, { arbitrary: changed, weight: 2 });
  return fc.array(part, { minLength: 2, maxLength: 24 }).map((parts) => ({ values, text: Buffer.concat(parts) }));
});

function masked(values: readonly string[], chunks: Iterable<Buffer>, read?: typeof byLayersAlone): Buffer {
  const set = MaskSet.compile(values.map((value, at) => ({ placeholder: placeholderFor("p", `f${at}`), value: Buffer.from(value) })));
  const masker = new Masker(set, read);
  return Buffer.concat([...Array.from(chunks, (chunk) => Buffer.from(masker.push(chunk))), masker.end()]);
}

function* pieces(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  let from = 0;
  for (let each = 0; from < bytes.length; each++) {
    const to = from + (lengths[each % lengths.length] ?? bytes.length);
    yield bytes.subarray(from, to);
    from = to;
  }
}

describe("the scout and the layers together", () => {
  it("find exactly what the layers alone find, for any text, values and chunks", () => {
    fc.assert(
      fc.property(cases, fc.array(fc.integer({ min: 1, max: 1500 }), { maxLength: 4 }), ({ values, text }, lengths) => {
        const expected = masked(values, [text], byLayersAlone);
        assert.deepEqual(masked(values, [text]).toString("latin1"), expected.toString("latin1"));
        assert.deepEqual(masked(values, pieces(text, lengths)).toString("latin1"), expected.toString("latin1"));
      }),
      { numRuns: +(process.env.RUNS ?? 0) || 200 },
    );
  });

  it("find a value in base64 that begins with an escaped letter's group, wherever its bytes are cut", () => {
    const text = Buffer.from(`00000000aaadXNlcjaa\\Zo1Y2ZhZTRjYQ${" and so on".repeat(20)}`);
    const expected = masked(["5cfae4ca"], [text], byLayersAlone);
    assert.ok(!expected.includes("o1Y2ZhZTRjYQ"));
    assert.deepEqual(masked(["5cfae4ca"], [text]), expected);
    for (let cut = 1; cut < 40; cut++)
      for (const read of [undefined, byLayersAlone])
        assert.deepEqual(masked(["5cfae4ca"], [text.subarray(0, cut), text.subarray(cut)], read), expected, `${cut}`);
  });

  it("find a value in hex of base64, wherever between its digits the layers leave off", () => {
    const value = "0%%/ b  _XY+a_ 09/c%9bY&";
    for (let place = 0; place < 64; place++) {
      // What might be the value keeps the layers reading up to some place in the digits.
      const text = Buffer.from(
        `and so on ${value.slice(0, -1)}${" so far".repeat(9).slice(place)} ${hex(Buffer.from(`xy${value}`).toString("base64"))} ${"and so on".repeat(20)}`,
      );
      assert.deepEqual(masked([value], [text]), masked([value], [text], byLayersAlone), `${place}`);
      assert.notDeepEqual(masked([value], [text]), text);
    }
  });

  it("find two values in one run of hex, of which the later is told first", () => {
    const value = "baabbaabab";
    const spelled = value.replaceAll(/./gu, (letter) => `%${hex(letter)}`);
    const text = Buffer.from(`${"and so on ".repeat(20)}\n${hex(spelled)} 0${hex(value)}A\n${"and so on ".repeat(20)}`);
    assert.deepEqual(masked([value], [text]), masked([value], [text], byLayersAlone));
    assert.ok(!masked([value], [text]).includes(hex(spelled)));
  });
});

const hex = (text: string): string => Buffer.from(text).toString("hex");
