import assert from "node:assert/strict";
import { EventMasker, eventFormatOf, MaskSet, placeholderFor, scanFor } from "../index.ts";

const VALUE = "Zq7kP9tRwx42";
const TOKEN = placeholderFor("prod/orders/api", "token");
const setOf = (...values: string[]) =>
  MaskSet.compile(
    values.map((value, at) => ({ placeholder: at === 0 ? TOKEN : placeholderFor("other", `f${at}`), value: Buffer.from(value) })),
  );

interface Event {
  readonly d?: string;
  readonly choices?: readonly { readonly delta: { readonly content: string } }[];
}

const sse = (...data: unknown[]) => data.map((each) => `data: ${JSON.stringify(each)}\n\n`);
const lines = (...data: unknown[]) => data.map((each) => `${JSON.stringify(each)}\n`);
const pushed = (masker: EventMasker, chunks: readonly string[]) =>
  chunks.map((chunk) => Buffer.from(masker.push(Buffer.from(chunk))).toString());
function streamed(chunks: readonly string[], format: "sse" | "lines" = "sse", set = setOf(VALUE)): string {
  const masker = new EventMasker(set, format);
  return pushed(masker, chunks).join("") + Buffer.from(masker.end()).toString();
}
const textIn = (stream: string, format: "sse" | "lines", at: (event: Event) => string | undefined) =>
  stream
    .split(format === "sse" ? /\r?\n\r?\n/u : "\n")
    .filter((event) => event !== "" && !event.startsWith(":"))
    .map((event) => at(JSON.parse(event.replace(/^(?:(?:event|id):.*\n)*data: ?/u, ""))) ?? "")
    .join("");

describe("MASK-13: a value cut into the deltas of an event stream", () => {
  const delta = (content: string) => ({ id: "c-1", choices: [{ index: 0, delta: { content } }] });
  const contentOf = (event: Event) => event.choices?.[0]?.delta?.content;

  it("is masked where it began, cut anywhere, in any number of pieces, split anywhere into chunks", () => {
    for (const format of ["sse", "lines"] as const) {
      const write = format === "sse" ? sse : lines;
      for (let cut = 1; cut < VALUE.length; cut++) {
        const stream = write(delta("key: "), delta(`a ${VALUE.slice(0, cut)}`), delta(`${VALUE.slice(cut)} b`), delta("."));
        const masked = streamed(stream, format);
        assert.equal(textIn(masked, format, contentOf), `key: a ${TOKEN} b.`);
        assert.equal(streamed([...stream.join("")], format), masked);
      }
      const single = write(...Array.from(`<${VALUE}>`, delta));
      assert.equal(textIn(streamed(single, format), format, contentOf), `<${TOKEN}>`);
    }
  });

  it("is masked from the stream's first event on, after a byte order mark, and in a JSON sequence", () => {
    for (const [format, stream] of [
      ["sse", ['\ufeffdata: {"d":"Zq7kP9"}\n\n', 'data: {"d":"tRwx42"}\n\n']],
      ["lines", ['\ufeff{"d":"Zq7kP9"}\n', '{"d":"tRwx42"}\n']],
      ["lines", ['\u001e{"d":"Zq7kP9"}\n', '\u001e{"d":"tRwx42"}\n']],
    ] as const) {
      const masked = stream.join("").replace("Zq7kP9", TOKEN).replace("tRwx42", "");
      assert.equal(streamed(stream, format), masked);
      const masker = new EventMasker(setOf(VALUE), format);
      const single = [...Buffer.from(stream.join(""))].map((byte) => Buffer.from(masker.push(Uint8Array.of(byte))));
      assert.equal(Buffer.concat([...single, masker.end()]).toString(), masked);
    }
  });

  it("is masked beside another pointer's text, with comments, names and ids between, and data in several lines", () => {
    const stream = [
      ": hello\n\n",
      'event: delta\nid: 1\ndata: {"d":"Zq7k","n":"x"}\n\n',
      'data: {"n":"Zq7"}\r\n\r\n',
      ": ping\n\n",
      'event: delta\ndata: {"n":"y",\ndata: "d":"P9tR"}\n\n',
      'data:{"d":"wx42"}\n\n',
      "data: [DONE]\n\n",
    ];
    const masked = streamed(stream);
    assert.equal(masked, stream.join("").replace("Zq7k", TOKEN).replace("P9tR", "").replace("wx42", ""));
  });

  it("is masked in the escapes of JSON, and encoded: percent, base64, hex", () => {
    const forms = [
      Array.from(VALUE, (character) => `\\u00${character.charCodeAt(0).toString(16)}`).join(""),
      encodeURIComponent(VALUE).replace("Z", "%5a"),
      Buffer.from(`me:${VALUE}`).toString("base64"),
      Buffer.from(VALUE).toString("hex"),
    ];
    for (const form of forms) {
      for (const each of [1, 3, 6, 7]) {
        const stream = (form.match(new RegExp(`(?:\\\\u....|[^\\\\]){1,${each}}`, "gu")) ?? []).map(
          (piece) => `data: {"d":"${piece}"}\n\n`,
        );
        const text = textIn(streamed(stream), "sse", (event) => event.d);
        assert.deepEqual(scanFor(VALUE, Buffer.from(text)), [], `${form} by ${each}`);
      }
    }
  });

  it("is masked where the data is no JSON", () => {
    assert.equal(streamed(["data: see Zq7k\n\n", "data: P9tR\n\n", "data: wx42!\n\n"]), `data: see ${TOKEN}\n\ndata: \n\ndata: !\n\n`);
  });

  it("is masked once: as the masker does it where it stands in one event, the longest of two that overlap where it does not", () => {
    const set = setOf("tok_AAAA1111", "tok_AAAA1111_extra_9f3c");
    const masker = new EventMasker(set, "sse");
    const out =
      pushed(masker, sse({ d: "tok_AA" }, { d: "AA1111" }, { d: "_extra_9" }, { d: "f3c" }, { d: "tok_AAAA1111" })).join("") + masker.end();
    assert.equal(
      textIn(out, "sse", (event) => event.d),
      placeholderFor("other", "f1") + TOKEN,
    );
    assert.equal(masker.count, 2);
  });

  it("lets everything else through byte for byte, at once: an event waits only while its text may be a value's beginning", () => {
    const masker = new EventMasker(setOf(VALUE), "sse");
    const events = [
      ...sse(delta("Good day"), delta(" world"), { usage: 7 }),
      ": ping\n\n",
      "data: [DONE]\n\n",
      "event: x\r\ndata: y\r\n\r\n",
    ];
    assert.deepEqual(pushed(masker, events), events);
    const [held, other] = sse(delta("see Zq7k"), delta("ey"));
    assert.deepEqual(pushed(masker, [held!]), [""]);
    assert.deepEqual(pushed(masker, [other!]), [held! + other!]);
    // The first 11 of 12 bytes, and then nothing: out they come.
    const rest = sse(...Array.from(VALUE.slice(0, 11), delta));
    assert.equal(streamed(rest), rest.join(""));
    const odd = [
      '{"a":',
      "\n",
      "data",
      "\r\r",
      "data: {",
      "\n\n",
      'data: ]]}"\\',
      "\n\n\n",
      "x".repeat(3 << 20),
      "\n\n",
      'data: {"d":"\\ud83d"}',
      "\n\n",
    ];
    for (const format of ["sse", "lines"] as const) assert.equal(streamed(odd, format), odd.join(""));
  });

  it("waits through 16 events without the pointer, and no longer, so that no stream is held up", () => {
    const masker = new EventMasker(setOf(VALUE), "sse");
    const [first, last] = sse({ d: "Zq7kP9" }, { d: "tRwx42" });
    const others = sse(...Array.from({ length: 15 }, (_, n) => ({ n })));
    assert.equal(pushed(masker, [first!, ...others]).join(""), "");
    assert.equal(pushed(masker, [last!]).join(""), sse({ d: TOKEN })[0]! + others.join("") + sse({ d: "" })[0]!);
    assert.equal(pushed(masker, [first!, ...sse(...Array.from({ length: 16 }, (_, n) => ({ n })))]).join("").length > 200, true);
  });

  it("takes time and memory by an event's length, whatever its names and however many its strings", () => {
    const strings = (text: string) => Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [at, text]));
    for (const hostile of [{ ["k".repeat(100_000)]: strings("") }, strings(`x${VALUE.slice(0, 2)}`)]) {
      const before = process.cpuUsage();
      const stream = lines(hostile, delta(VALUE.slice(0, 5)), delta(VALUE.slice(5)));
      const text = streamed(stream, "lines");
      const { user } = process.cpuUsage(before);
      assert.ok(user < 5e6, `${user} µs`);
      assert.equal(text.split("\n")[0], JSON.stringify(hostile));
      assert.deepEqual(scanFor(Buffer.from(VALUE), Buffer.from(textIn(text.slice(text.indexOf("\n") + 1), "lines", contentOf))), []);
      assert.ok(text.includes(TOKEN));
    }
  });

  it("knows the media types of such streams", () => {
    assert.equal(eventFormatOf("text/event-stream; charset=utf-8"), "sse");
    assert.equal(eventFormatOf("Application/X-NDJSON"), "lines");
    assert.equal(eventFormatOf("application/json"), undefined);
    assert.equal(eventFormatOf(undefined), undefined);
  });
});
