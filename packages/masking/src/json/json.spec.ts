import assert from "node:assert/strict";
import fc from "fast-check";
import { Masker, MaskSet, maskerFor, maskText, placeholderFor, refusalFor, scanFor } from "../index.ts";

const TOKEN = placeholderFor("prod/orders/api", "token");
const setOf = (...values: string[]) =>
  MaskSet.compile(
    values.map((value, at) => ({ placeholder: at === 0 ? TOKEN : placeholderFor("p", `f${at}`), value: Buffer.from(value) })),
  );

/** Ways to write a string's content in JSON. */
const spellings: Readonly<Record<string, (text: string) => string>> = {
  shortest: (text) => JSON.stringify(text).slice(1, -1),
  "slashes escaped": (text) => JSON.stringify(text).slice(1, -1).replaceAll("/", "\\/"),
  "every unit": (text) => unitsOf(text, () => true),
  "every other unit": (text) => unitsOf(text, (at) => at % 2 === 0),
  "the last units": (text) => unitsOf(text, (at) => at > text.length / 2),
  "no ASCII but letters": (text) => unitsOf(text, (at) => !/[A-Za-z0-9]/u.test(text[at]!), true),
  "percent-encoded": (text) => encodeURIComponent(text),
  "of another JSON document": (text) => JSON.stringify(JSON.stringify(text).slice(1, -1)).slice(1, -1),
  base64: (text) => Buffer.from(`u:${text}`).toString("base64").replaceAll("/", "\\/"),
  hex: (text) => Buffer.from(text).toString("hex"),
};
const unitsOf = (text: string, spelled: (at: number) => boolean, upper = false): string =>
  Array.from({ length: text.length }, (_, at) => {
    const unit = text.charCodeAt(at).toString(16).padStart(4, "0");
    return spelled(at) ? `\\u${upper ? unit.toUpperCase() : unit}` : JSON.stringify(text[at]!).slice(1, -1);
  }).join("");

const nasty = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(..."\"\\/%{}[]:,ntub0u2F'\u0001\t é\u{1f511}"), minLength: 8, maxLength: 20 }),
    fc.string({ unit: "grapheme", minLength: 8, maxLength: 16 }),
    fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 8, maxLength: 12 }),
    fc.json({ maxDepth: 2 }).filter((text) => text.length < 40),
    fc.constantFrom(
      '"quoted\\back%2Fslash"',
      'nothing-secret","x',
      '\\\\\\"abcdef\\',
      "u0022-and-more",
      '{"a":[1,2,{"b":"c"}]}',
      '":12345678,"',
    ),
  )
  .filter(
    (value) => Buffer.from(value).toString() === value && refusalFor(Buffer.from(value)) === undefined && !/[\u0000\b\r\n]/u.test(value),
  );

function cut(text: Buffer, cuts: readonly number[], masker: { push(chunk: Uint8Array): Uint8Array; end(): Uint8Array }): string {
  const places = [0, ...cuts.map((each) => each % (text.length + 1)).sort((one, other) => one - other), text.length];
  const out = places.slice(1).map((to, at) => Buffer.from(masker.push(text.subarray(places[at]!, to))));
  return Buffer.concat([...out, masker.end()]).toString();
}

describe("JSON with a value in it", () => {
  it("stays valid, and all else in it as it was, for any value in any spelling, wherever it is split", () => {
    const around = fc.string({ unit: fc.constantFrom(...'ab"\\/ é\n%&;u0'), maxLength: 6 });
    fc.assert(
      fc.property(
        nasty,
        fc.constantFrom(...Object.keys(spellings)),
        around,
        around,
        fc.array(fc.nat(300), { maxLength: 5 }),
        (value, spelling, before, after, cuts) => {
          const written = spellings[spelling]!(value);
          const [head, tail] = [JSON.stringify(before).slice(1, -1), JSON.stringify(after).slice(1, -1)];
          const text = `{"plain":"x\\"y","v":"${head}${written}${tail}","k${head}${written}":[1,"${written}"],"n":{"z":-1.5e3}}`;
          fc.pre(validJson(text));
          const masked = cut(Buffer.from(text), cuts, new Masker(setOf(value)));
          const parsed = parse(masked, text);
          assert.equal(cut(Buffer.from(text), [], new Masker(setOf(value))), masked, "however it is split");
          assert.equal(Object.keys(parsed).length, 4, masked);
          assert.ok(masked.includes("sallyport") || spelling === "base64" || spelling === "hex", masked);
        },
      ),
      { numRuns: +(process.env.RUNS ?? 0) || 600 },
    );
  });

  it("stays valid where a value is a piece of the document itself, quotes and brackets and all", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.nat(), fc.nat(), fc.array(fc.nat(300), { maxLength: 3 }), (json, one, two, cuts) => {
        const text = `{"a":${json},"b":[true,12.5e1,"x","\\u00e9\\\\\\"",null]}`;
        const from = one % text.length;
        const value = text.slice(from, from + 8 + (two % 30));
        fc.pre(refusalFor(Buffer.from(value)) === undefined && Buffer.from(value).toString() === value);
        const masked = cut(Buffer.from(text), cuts, new Masker(setOf(value)));
        parse(masked, `${text} with ${JSON.stringify(value)}`);
        assert.equal(cut(Buffer.from(text), [], new Masker(setOf(value))), masked, "however it is split");
        if (/[A-Za-z]{6}/u.test(value.replaceAll(/true|false|null/gu, ""))) assert.deepEqual(scanFor(value, Buffer.from(masked)), []);
      }),
      { numRuns: +(process.env.RUNS ?? 0) || 600 },
    );
  });

  it("has the placeholder where the value was, no more and no less", () => {
    const value = '"quoted\\back%2Fslash"';
    const set = setOf(value);
    for (const [spelling, write] of Object.entries(spellings)) {
      const { v } = JSON.parse(maskText(set, `{"v":"<${write(value)}>"}`)) as { v: string };
      const read: Record<string, (text: string) => string> = {
        "percent-encoded": decodeURIComponent,
        base64: (text) => Buffer.from(text.slice(1, -1), "base64").toString().replace("u:", "<").replaceAll(".", "").concat(">"),
        hex: (text) => `<${Buffer.from(text.slice(1, -1), "hex").toString()}>`,
      };
      assert.equal((read[spelling] ?? String)(v), `<${TOKEN}>`, spelling);
    }
    assert.equal(maskText(set, `{"v":${JSON.stringify(value)}}`), `{"v":"${TOKEN}"}`);
    assert.deepEqual(JSON.parse(maskText(setOf("nothing-secret"), '{"v":"a\\nothing-secret b"}')), { v: `a/${TOKEN} b` });
    assert.deepEqual(JSON.parse(maskText(setOf('"key":{"d":"q-7"}'), '[1,{"key":{"d":"q-7"},"e":2}]')), [1, { [TOKEN]: { "": "" }, e: 2 }]);
    const file = '{"id":"k-7781","private":["Zq7kP9tRwx42",1]}';
    assert.deepEqual(JSON.parse(maskText(setOf(file), `{"file":${file},"n":1}`)), { file: TOKEN, n: 1 });
    assert.deepEqual(JSON.parse(maskText(setOf("90,91,92,93"), '{"v":[90,91,92,93],"w":"90,91,92,93"}')), {
      v: [11, 11, 11, 11],
      w: TOKEN,
    });
    assert.deepEqual(
      JSON.parse(maskText(setOf("Zq7kP9tRwx42"), JSON.stringify({ a: Array.from(Buffer.from("Zq7kP9tRwx42")).join(", ") }))),
      {
        a: TOKEN,
      },
    );
  });

  it("stays valid event by event and line by line", () => {
    const value = '","secret":"Zq7k\\P9';
    const set = setOf(value, "nothing-else-9");
    const event = (data: string) => `event: delta\ndata: ${data}\n\n`;
    const data = [`{"d":"1${value}2"}`, '{"d":"a\\nothing-else-9"}', `{"d":${JSON.stringify(value)}}`];
    for (const [type, text, read] of [
      [
        "text/event-stream",
        data.map(event).join(""),
        (out: string) =>
          out
            .split("\n")
            .filter((line) => line.startsWith("data: "))
            .map((line) => line.slice(6)),
      ],
      ["application/x-ndjson", `${data.join("\n")}\n`, (out: string) => out.trimEnd().split("\n")],
    ] as const) {
      for (const cuts of [[], [7, 33, 60, 61]]) {
        const parsed = read(cut(Buffer.from(text), cuts, maskerFor(set, type))).map((line) => JSON.parse(line) as object);
        assert.deepEqual(parsed, [{ d: `1${TOKEN}`, "": "2" }, { d: `a/${placeholderFor("p", "f1")}` }, { d: TOKEN }], type);
      }
    }
  });

  it("is JSON only where it reads as such: elsewhere a value alone is replaced", () => {
    const set = setOf("nothing-secret", 'x","token":"abc');
    for (const text of [
      "C:\\nothing-secret",
      "[info] C:\\nothing-secret",
      '<p>x","token":"abc</p>',
      '{oops} x","token":"abc',
      "{'a': 'b\\nothing-secret'}",
    ]) {
      const masked = maskText(set, text);
      assert.equal(masked.replace(TOKEN, "nothing-secret").replace(placeholderFor("p", "f1"), 'x","token":"abc'), text);
    }
  });
});

function validJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parse(masked: string, text: string): object {
  try {
    return JSON.parse(masked) as object;
  } catch {
    assert.fail(`not valid: ${masked}\nfrom ${text}`);
  }
}
