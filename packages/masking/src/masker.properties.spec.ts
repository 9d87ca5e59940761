import assert from "node:assert/strict";
import fc from "fast-check";
import { encodingsOf, Masker, MaskSet, maskBytes, placeholderFor, refusalFor, scanFor } from "./index.ts";

const set = (values: readonly string[]) =>
  MaskSet.compile(values.map((value, at) => ({ placeholder: placeholderFor("p", `f${at}`), value: Buffer.from(value) })));

const secret = fc
  .oneof(
    fc.string({ unit: "grapheme-ascii", minLength: 8, maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(..."abcXYZ019+/=-_%"), minLength: 8, maxLength: 24 }),
    fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 16, maxLength: 32 }),
    fc.string({ unit: "grapheme-composite", minLength: 8, maxLength: 16 }),
  )
  .filter(
    (value) =>
      refusalFor(Buffer.from(value)) === undefined && !/[\u0000\b\r\n]/u.test(value) && !value.includes("]") && !value.includes("["),
  );

const neighbour = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }).map((text) => Buffer.from(text)),
  fc.string({ unit: fc.constantFrom(...'abcXYZ019+/=-_%\\&;#x{}"\r\n :,'), maxLength: 16 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
);

/** Splits `bytes` at places drawn from `cuts`. */
function* pieces(bytes: Buffer, cuts: readonly number[]): Generator<Buffer> {
  let from = 0;
  for (const cut of [...cuts].map((each) => each % (bytes.length + 1)).sort((one, other) => one - other)) {
    yield bytes.subarray(from, cut);
    from = cut;
  }
  yield bytes.subarray(from);
}

function streamed(masks: MaskSet, chunks: Iterable<Buffer>): Buffer {
  const masker = new Masker(masks);
  const out = [...chunks].map((chunk) => Buffer.from(masker.push(chunk)));
  return Buffer.concat([...out, masker.end()]);
}

/** Text with values in it, in any encoding, whole or cut short. One cut short ends in a bar: the first letter of a placeholder after it might make it whole. */
const planted = secret.chain((value) => {
  const forms = encodingsOf(value);
  const form = fc.nat(forms.length - 1).map((at) => Buffer.from(forms[at]!.bytes));
  const cut = fc
    .tuple(form, fc.nat(200))
    .map(([bytes, at]) => Buffer.concat([bytes.subarray(0, at % (bytes.length + 1)), Buffer.from("|")]));
  return fc.record({ value: fc.constant(value), parts: fc.array(fc.oneof(neighbour, form, cut), { minLength: 1, maxLength: 7 }) });
});

describe("masking, for any text", () => {
  it("leaves no value in any encoding, however the text is split", () => {
    fc.assert(
      fc.property(planted, fc.array(fc.nat(4000), { maxLength: 6 }), ({ value, parts }, cuts) => {
        const masked = streamed(set([value]), pieces(Buffer.concat(parts), cuts));
        assert.deepEqual(scanFor(value, masked), []);
      }),
      { numRuns: +(process.env.RUNS ?? 0) || 300 },
    );
  });

  it("gives the same however the text is split", () => {
    fc.assert(
      fc.property(planted, secret, fc.array(fc.nat(4000), { maxLength: 12 }), ({ value, parts }, other, cuts) => {
        const masks = set([value, other]);
        const text = Buffer.concat(parts);
        const whole = Buffer.from(maskBytes(masks, text));
        assert.deepEqual(streamed(masks, pieces(text, cuts)), whole);
        assert.deepEqual(
          streamed(
            masks,
            pieces(
              text,
              Array.from(text, (_, at) => at),
            ),
          ),
          whole,
        );
      }),
      { numRuns: +(process.env.RUNS ?? 0) || 300 },
    );
  });

  it("passes what holds no value byte for byte", () => {
    fc.assert(
      fc.property(secret, fc.array(neighbour, { maxLength: 12 }), fc.array(fc.nat(4000), { maxLength: 6 }), (value, parts, cuts) => {
        const text = Buffer.concat(parts);
        fc.pre(scanFor(value, text).length === 0);
        assert.deepEqual(streamed(set([value]), pieces(text, cuts)), text);
      }),
      { numRuns: +(process.env.RUNS ?? 0) || 500 },
    );
  });

  it("does nothing the second time", () => {
    fc.assert(
      fc.property(planted, ({ value, parts }) => {
        const masks = set([value]);
        const once = Buffer.from(maskBytes(masks, Buffer.concat(parts)));
        assert.deepEqual(Buffer.from(maskBytes(masks, once)), once);
      }),
      { numRuns: +(process.env.RUNS ?? 0) || 200 },
    );
  });
});
