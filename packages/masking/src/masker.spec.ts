import assert from "node:assert/strict";
import {
  encodingsOf,
  Masker,
  MaskSet,
  maskBytes,
  maskStream,
  maskText,
  placeholderFor,
  refusalFor,
  scanFor,
  ValueRefused,
} from "./index.ts";

const TOKEN = placeholderFor("prod/orders/api", "token");
const setOf = (...values: string[]) =>
  MaskSet.compile(
    values.map((value, at) => ({ placeholder: at === 0 ? TOKEN : placeholderFor("prod/other", `f${at}`), value: Buffer.from(value) })),
  );

/** What comes out when `chunks` are pushed one by one. */
function streamed(set: MaskSet, chunks: Iterable<string | Uint8Array>): string {
  const masker = new Masker(set);
  const out = [...chunks].map((chunk) => Buffer.from(masker.push(Buffer.from(chunk))));
  return Buffer.concat([...out, masker.end()]).toString("latin1");
}
const byteByByte = (text: string | Uint8Array) => Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte));
const decoded = (text: string) => Buffer.from(text, "base64").toString();

describe("masking a value", () => {
  it("MASK-01: a value of several lines is one, and each of its longer lines is masked by itself", () => {
    const value = "-----K1-----\nAAAA1111bbbb\nCCCC2222dddd\n-----K2-----";
    const set = setOf(value);
    assert.equal(streamed(set, [`pre ${value.slice(0, 17)}`, value.slice(17, 21), `${value.slice(21)} post`]), `pre ${TOKEN} post`);
    assert.equal(maskText(set, `pre ${value.replaceAll("\n", "\r\n")} post`), `pre ${TOKEN} post`);
    assert.equal(maskText(set, JSON.stringify({ key: value })), `{"key":"${TOKEN}"}`);
    assert.equal(maskText(set, "AAAA1111bbbb\nCCCC2222dddd\n"), `${TOKEN}\n${TOKEN}\n`);
    const benign = "AAAA1111\nCCCC2222\n-----\n";
    assert.equal(maskText(set, benign), benign);
  });

  it("MASK-03: base64 at each alignment, and what stands around it still decodes", () => {
    const value = "S3cr3t-Val-0042";
    const set = setOf(value);
    for (const [before, after] of [
      ["", "\n"],
      ["x:", ""],
      ["xy:", " tail"],
      ["user:", ""],
      ["", ""],
    ] as const) {
      for (const form of ["base64", "base64url"] as const) {
        const masked = maskText(set, Buffer.from(before + value + after).toString(form));
        // The first letter after "xy:" holds two bits of the value only and stays; here they are those of a dot.
        assert.match(decoded(masked).replace(TOKEN, "#"), new RegExp(`^${before}\\.?#\\.{0,2}${after}$`, "u"));
      }
    }
    const benign = Buffer.from("S3cr3t-Val-0043 and S3cr3t-Val-004").toString("base64");
    assert.equal(maskText(set, benign), benign);
  });

  it("MASK-05: values that would blank ordinary text are refused at registration", () => {
    for (const value of [
      "",
      "\n",
      "{",
      "a",
      "}",
      "        ",
      "aaaaaaaaaaaa",
      "\n\n\n\n\n\n\n\n\n",
      "changeme",
      "PASSWORD123",
      '"},\n    {"',
      "[null,true]",
    ]) {
      assert.match(refusalFor(Buffer.from(value)) ?? "", /cannot be masked/u, JSON.stringify(value));
      assert.throws(() => setOf(value), ValueRefused);
    }
    const keyFile = '{\n  "id": "k-7781",\n  "private": "Zq7kP9tRwx42LmNo"\n}';
    const set = setOf(keyFile);
    assert.equal(maskText(set, '{"a":[{"b":1}]}'), '{"a":[{"b":1}]}');
    assert.equal(maskText(set, keyFile), `"${TOKEN}"`);
    assert.equal(maskText(set, `key: ${keyFile}`), `key: ${TOKEN}`);
    assert.equal(maskText(MaskSet.compile([]), keyFile), keyFile);
  });

  it("MASK-07: percent-encoding, full or partial, in either case, as a form, and twice over", () => {
    const set = setOf("Zq7/kP+9=tR w");
    const written = [
      "Zq7%2fkP%2b9%3dtR%20w",
      "Zq7%2FkP%2B9%3DtR+w",
      "Zq7/kP%2b9=tR%20w",
      "%5a%71%37%2f%6B%50%2b%39%3D%74%52%20%77",
      "Zq7%252FkP%252B9%253DtR%2520w",
      "Zq7%25%32%46kP%252B9%253DtR%2520w",
    ];
    for (const each of written) {
      const masked = maskText(set, `a=${each}&b=1`);
      assert.match(decodeURIComponent(decodeURIComponent(masked)), /^a=\[sallyport:prod\/orders\/api#token\]&b=1$/u, each);
      assert.equal(streamed(set, byteByByte(`a=${each}&b=1`)), masked);
    }
    const benign = "a=Zq7%2fkP%2b9%3dtR%20x&b=100%&c=%zz%2";
    assert.equal(maskText(set, benign), benign);
  });

  it("MASK-09: of two values the leftmost, and of those the longest", () => {
    const set = setOf("tok_AAAA1111", "tok_AAAA1111_extra_9f3c");
    const longer = placeholderFor("prod/other", "f1");
    assert.equal(maskText(set, "<tok_AAAA1111_extra_9f3c>"), `<${longer}>`);
    assert.equal(streamed(set, ["<tok_AAAA1111", "_extra_9f3c>"]), `<${longer}>`);
    assert.equal(streamed(set, ["<tok_AAAA1111", "_extra_9f3d>"]), `<${TOKEN}_extra_9f3d>`);
    assert.equal(maskText(setOf("abcdefghIJKL", "ghIJKLmnopq"), "<abcdefghIJKLmnopq>"), `<${TOKEN}>`);
    assert.equal(maskText(setOf("xabcabcabc"), "xabcabcabcabcxabcabcabc"), `${TOKEN}abc${TOKEN}`);
  });

  it("MASK-11: terminal escapes, erased characters, zero-width characters and wraps inside a value", () => {
    const value = "Zq7kP9tRwx42";
    const set = setOf(value);
    const inside = ["\x1b[31m", "\x1b[0m", "\x1b]0;t\x07", "P\b", "\u200b", "\ufeff", "\u00ad", "\r\n", "\n", "\x1b(B", "\r\n\x1b[K"];
    for (const noise of inside) {
      const text = `$ echo ${value.slice(0, 5)}${noise}${value.slice(5)}\n`;
      assert.equal(maskText(set, text), `$ echo ${TOKEN}\n`, JSON.stringify(noise));
      assert.equal(maskText(set, JSON.stringify(text)), JSON.stringify(`$ echo ${TOKEN}\n`), JSON.stringify(noise));
    }
    assert.equal(maskText(set, `\x1b[1m${value}\x1b[0m`), `\x1b[1m${TOKEN}\x1b[0m`);
    assert.equal(maskText(set, `\x1b[${value}`), `\x1b[${TOKEN}`);
    assert.equal(maskText(set, `${value}\b`), `${TOKEN}\b`);
    const benign = "\x1b[31mZq7kP\x1b[0m 9tRwx42 \u200bZq7\r\n";
    assert.equal(maskText(set, benign), benign);
  });

  it("MASK-13: split anywhere; what is held back at the end comes out as it was", () => {
    const value = "Zq7kP9tRwx42";
    const set = setOf(value);
    for (const { encoding, bytes } of encodingsOf(value)) {
      const text = Buffer.concat([Buffer.from("head "), bytes, Buffer.from(" tail")]);
      const whole = Buffer.from(maskBytes(set, text)).toString("latin1");
      for (let cut = 1; cut < text.length; cut++) assert.equal(streamed(set, [text.subarray(0, cut), text.subarray(cut)]), whole, encoding);
      assert.equal(streamed(set, byteByByte(text)), whole, encoding);
    }
    assert.equal(streamed(set, byteByByte(value.slice(0, 11))), value.slice(0, 11));
    assert.equal(streamed(set, byteByByte(`${value.slice(0, 11)}${value}`)), value.slice(0, 11) + TOKEN);
  });

  it("MASK-15: what is shortened after masking shows no beginning of a value", () => {
    const value = "9fK2mQ7xT4bV8nL1pR6sW3yZ5cD0gH-j";
    const cap = 4096;
    for (let filler = cap - 40; filler <= cap; filler++) {
      const excerpt = maskText(setOf(value), "x".repeat(filler) + value).slice(0, cap);
      assert.ok(!excerpt.includes(value.slice(0, 4)));
    }
  });

  it("MASK-19: hostile input takes time in proportion to its length, and little is held", () => {
    const values = Array.from({ length: 500 }, (_, at) => `Zq7kP9tRwx${String(at).padStart(4, "0")}${"ab".repeat(at % 9)}`);
    const set = setOf(...values);
    const size = 256 << 10;
    const hostile = [
      "A",
      "Zq7kP9tRwx4",
      "Zq7kP9tRwx001",
      "%5a",
      "%255a",
      "\\u005a",
      "\\",
      "%",
      "&",
      "&#x5a;",
      "Z\b",
      "Z\u200b",
      "\x1b[",
      Buffer.from("Zq7kP9tRwx4").toString("base64"),
      "5a71",
    ];
    for (const unit of hostile) {
      const text = Buffer.from(unit.repeat(Math.ceil(size / unit.length)));
      const masker = new Masker(set);
      const out: Uint8Array[] = [];
      let most = 0;
      for (let at = 0; at < text.length; at += 16384) {
        out.push(Uint8Array.from(masker.push(text.subarray(at, at + 16384))));
        most = Math.max(most, masker.held);
      }
      out.push(masker.end());
      assert.ok(Buffer.concat(out).equals(text), `${unit} arrives as it was`);
      assert.ok(most < 4096, `${unit}: ${most} bytes held`);
    }
  });

  it("MASK-19: others get their turn while hostile input is masked, in chunks however large", async () => {
    const values = Array.from({ length: 500 }, (_, at) => `Zq7kP9tRwx42${String(at).padStart(4, "0")}`);
    const set = setOf("Zq7kP9tRwx42", ...values);
    const size = process.env.SLOW === "1" ? 8 << 20 : 1 << 19;
    for (const unit of ["A", "Zq7kP9tRwx4", "%5a", Buffer.from("some text of any kind").toString("base64")]) {
      const text = Buffer.from(unit.repeat(Math.ceil(size / unit.length)));
      let longest = 0;
      let last = process.threadCpuUsage();
      let ended = false;
      const others = (async () => {
        while (!ended) {
          await new Promise(setImmediate);
          const { user, system } = process.threadCpuUsage(last);
          longest = Math.max(longest, (user + system) / 1000);
          last = process.threadCpuUsage();
        }
      })();
      const out: Uint8Array[] = [];
      const source = (async function* () {
        yield text;
      })();
      for await (const bytes of maskStream(new Masker(set), source)) out.push(Uint8Array.from(bytes));
      ended = true;
      await others;
      assert.ok(Buffer.concat(out).equals(text), `${unit} arrives as it was`);
      assert.ok(longest < 100, `${unit}: others waited ${longest.toFixed(0)} ms`);
    }
  }).timeout(120_000);

  it("MASK-21: a JSON number becomes a string, so that the JSON stays valid", () => {
    const set = setOf("90210042117733");
    const cases: [string, unknown][] = [
      ['{"v":90210042117733}', { v: TOKEN }],
      ['{"v": 9.0210042117733e13 , "w": [90210042117733.00, -90210042117733]}', { v: TOKEN, w: [TOKEN, TOKEN] }],
      ["[1,[9,0,2,1,0,0,4,2,1,1,7,7,3,3]]", [1, [TOKEN]]],
      ['{"v":"90210042117733","s":"1, 90210042117733, 2"}', { v: TOKEN, s: `1, ${TOKEN}, 2` }],
      ['{"v":190210042117733.5}', { v: `1${TOKEN}.5` }],
    ];
    for (const [text, expected] of cases) {
      const masked = maskText(set, text);
      assert.deepEqual(JSON.parse(masked), JSON.parse(JSON.stringify(expected).replaceAll(`-${TOKEN}`, TOKEN)), text);
      assert.equal(streamed(set, byteByByte(text)), masked);
    }
    assert.equal(maskText(set, "codes: 90210042117733, 2"), `codes: ${TOKEN}, 2`);
    const benign = '{"v":90210042117734,"w":9.0210042117734e13,"x":[9,0,2,1],"y":1e400}';
    assert.equal(streamed(set, byteByByte(benign)), benign);
    assert.deepEqual(JSON.parse(maskText(setOf("Zq7kP9tRwx42"), JSON.stringify(Buffer.from("Zq7kP9tRwx42")))), {
      type: "Buffer",
      data: [TOKEN],
    });
  });

  it("MASK-25: a value is masked in every encoding, or refused with a sentence", () => {
    for (const value of ["1234", "ab cd"]) assert.match(refusalFor(Buffer.from(value)) ?? "", /at least 8 bytes/u);
    const long = Buffer.from(Array.from({ length: 65536 }, (_, at) => 33 + ((at * 7919 + (at >> 3) * 31) % 90))).toString("latin1");
    for (const value of ["pâss-wörd-ñ", "ключ-от-двери", "a\"b\\c<d>e&f'g%h;i", "key\u{1f511}key\u{1f511}"]) {
      assert.equal(refusalFor(Buffer.from(value)), undefined);
      for (const { encoding, bytes } of encodingsOf(value)) {
        assert.notDeepEqual(scanFor(value, bytes), [], `${encoding} is an encoding`);
        assert.deepEqual(scanFor(value, maskBytes(setOf(value), bytes)), [], encoding);
      }
    }
    const set = setOf(long);
    assert.equal(maskText(set, `<${long}>`), `<${TOKEN}>`);
    assert.equal(maskText(set, `<${encodeURIComponent(long)}>`), `<${encodeURIComponent(TOKEN)}>`);
    assert.match(decoded(maskText(set, Buffer.from(`<${long}>`).toString("base64"))), /^<\[sallyport:prod\/orders\/api#token\]\.{0,2}>$/u);
    assert.equal(maskText(set, long.slice(1)), long.slice(1));
  });

  it("MASK-27: masking twice is masking once; values that are part of a placeholder are refused", () => {
    const value = "Zq7/kP+9=tR w";
    const set = setOf(value);
    for (const { encoding, bytes } of encodingsOf(value)) {
      const once = maskBytes(set, bytes);
      assert.deepEqual(Buffer.from(maskBytes(set, once)), Buffer.from(once), encoding);
    }
    for (const part of ["sallyport", "[sallyport:", "orders/api", TOKEN]) assert.throws(() => setOf(part), /placeholder/u);
  });

  it("MASK-29: words of an ordinary stream come out whole and at once", () => {
    const masker = new Masker(setOf("Zq7kP9tRwx42"));
    for (const words of [
      "live ",
      "from ",
      "production: ",
      "3f2b8c1e-77aa-4b1e-9d53-aa00bb11cc22 ",
      "true, ",
      "PATH=/usr/bin:/bin\n",
      "Zebra ",
      "50% & more\n",
    ]) {
      assert.equal(Buffer.from(masker.push(Buffer.from(words))).toString(), words);
      assert.equal(masker.held, 0);
    }
    assert.equal(Buffer.from(masker.push(Buffer.from("see Zq7k"))).toString(), "see ");
    assert.equal(Buffer.from(masker.push(Buffer.from("ey"))).toString().length > 0, true);
  });
});

describe("a mask set", () => {
  it("masks nothing, and says so, once it is erased", () => {
    const set = setOf("Zq7kP9tRwx42", "90210042117733");
    const masker = new Masker(set);
    set.erase();
    assert.throws(() => masker.push(Buffer.from("Zq7kP9tRwx42")), /erased/u);
    assert.throws(() => maskText(set, "Zq7kP9tRwx42"), /erased/u);
    assert.throws(() => masker.end(), /erased/u);
  });
});

describe("what replaces a value", () => {
  it("is written as the value was", () => {
    const value = "Zq7kP9tRwx42";
    const set = setOf(value);
    const hex = Buffer.from(value).toString("hex");
    assert.equal(Buffer.from(maskText(set, hex), "hex").toString(), TOKEN);
    assert.equal(maskText(set, hex.toUpperCase()), Buffer.from(TOKEN).toString("hex").toUpperCase());
    assert.equal(maskText(set, hex.replaceAll(/..(?=.)/gu, "$&:")).replaceAll(":", ""), Buffer.from(TOKEN).toString("hex"));
    assert.equal(Buffer.from(maskBytes(set, Buffer.from(`(${value})`, "utf16le"))).toString("utf16le"), `(${TOKEN})`);
    assert.match(
      decoded(decoded(maskText(set, Buffer.from(Buffer.from(`u:${value}`).toString("base64")).toString("base64")))),
      /^u:\[sallyport:/u,
    );
    const basic = maskText(set, `Basic ${Buffer.from(`me:${value}`).toString("base64")}`);
    assert.match(decoded(basic.slice(6)), /^me:\[sallyport:prod\/orders\/api#token\]\.{0,2}$/u);
    const twice = maskText(set, Buffer.from(`${value}${value};`).toString("base64"));
    assert.match(decoded(twice), /^(\[sallyport:prod\/orders\/api#token\]\.{0,2}){2};$/u);
  });
});
