/**
 * Looks for a canary in bytes that are all there: decodes the whole of them in each way, twice over, and searches what comes out.
 * It shares nothing with the masker, so that either shows what the other misses.
 */

/** Where a canary was found: `offset` in bytes, of about where it begins; `encoding` from the outside in. */
export interface Finding {
  readonly offset: number;
  readonly encoding: string;
}

/** Decoded bytes, and for each the offset in the input it came from. */
interface View {
  readonly bytes: Buffer;
  readonly offsets: Uint32Array;
}

/** What one decoder makes of `input` at `at`: bytes and how many input bytes they took; `undefined` where it reads nothing. */
const BREAK = Buffer.from([0xfe, 0xff]);

type Step = (input: Buffer, at: number) => { bytes: Uint8Array; taken: number } | undefined;

/** Findings of `canary` in `bytes`, each offset and encoding once. An empty canary is found nowhere. */
export function scanFor(canary: string | Uint8Array, bytes: Uint8Array): Finding[] {
  const wanted = Buffer.from(canary);
  if (wanted.length === 0) return [];
  const root: View = { bytes: Buffer.from(bytes), offsets: new Uint32Array(bytes.length) };
  for (let index = 0; index < bytes.length; index++) root.offsets[index] = index;
  const found = new Map<string, Finding>();
  const look = (view: View, path: readonly string[]) => {
    for (const finding of search(view, wanted, path)) found.set(`${finding.offset} ${finding.encoding}`, finding);
  };
  look(root, []);
  for (const [outer, decodeOuter] of Object.entries(decoders)) {
    for (const once of decodeOuter(root)) {
      look(once, [outer]);
      for (const [inner, decodeInner] of Object.entries(decoders)) {
        for (const twice of decodeInner(once)) look(twice, [outer, inner]);
      }
    }
  }
  return [...found.values()].sort((one, other) => one.offset - other.offset);
}

function* search(view: View, wanted: Buffer, path: readonly string[]): Generator<Finding> {
  const forms: [string, Buffer, View][] = [["raw", wanted, view]];
  forms.push(["form", spaced(wanted), { bytes: spaced(view.bytes), offsets: view.offsets }]);
  for (const [name, strip] of Object.entries(strippers)) forms.push([name, strip(single(wanted)).bytes, strip(view)]);
  const utf8 = wanted.toString("utf8");
  if (Buffer.from(utf8).equals(wanted)) {
    const little = Buffer.from(utf8, "utf16le");
    forms.push(["utf-16le", little, view], ["utf-16be", Buffer.from(little).swap16(), view]);
  }
  for (const [name, needle, { bytes, offsets }] of forms) {
    if (needle.length === 0) continue;
    const at = bytes.indexOf(needle);
    if (at >= 0) yield { offset: offsets[at]!, encoding: [...path, name].join(" > ") };
  }
}

const single = (bytes: Buffer): View => ({ bytes, offsets: new Uint32Array(bytes.length) });
const spaced = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => (byte === 0x2b ? 0x20 : byte)));

/** Applies `step` all along; `undefined` when it never reads anything. */
function replaced(view: View, step: Step): View | undefined {
  const { bytes: input, offsets: from } = view;
  const out: number[] = [];
  const offsets: number[] = [];
  let changed = false;
  for (let at = 0; at < input.length; ) {
    const read = step(input, at);
    if (read === undefined) {
      out.push(input[at]!);
      offsets.push(from[at]!);
      at++;
      continue;
    }
    changed = true;
    for (const byte of read.bytes) {
      out.push(byte);
      offsets.push(from[at]!);
    }
    at += read.taken;
  }
  return changed ? { bytes: Buffer.from(out), offsets: Uint32Array.from(offsets) } : undefined;
}

const matching =
  (lead: RegExp, longest: number, decode: (groups: RegExpExecArray) => Uint8Array | undefined): Step =>
  (input, at) => {
    const text = input.toString("latin1", at, Math.min(input.length, at + longest));
    const groups = lead.exec(text);
    const bytes = groups === null ? undefined : decode(groups);
    return groups === null || bytes === undefined ? undefined : { bytes, taken: groups[0].length };
  };

/** `step`, tried only where the byte is one of `leads`. */
const at =
  (leads: string, step: Step): Step =>
  (input, index) =>
    leads.includes(String.fromCharCode(input[index]!)) ? step(input, index) : undefined;

const NOTHING = new Uint8Array(0);
const controls: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f", v: "\v", a: "\x07", e: "\x1b" };
const htmlCharacters: Readonly<Record<string, string>> = {
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", sol: "/", plus: "+", equals: "=", num: "#", percnt: "%", colon: ":", semi: ";", lowbar: "_",
  period: ".", comma: ",", excl: "!", quest: "?", commat: "@", dollar: "$", ast: "*", lpar: "(", rpar: ")", lsqb: "[", rsqb: "]", lcub: "{", rcub: "}",
  verbar: "|", bsol: "\\", grave: "`", Hat: "^", nbsp: " ", hyphen: "-", Tab: "\t", NewLine: "\n",
}; // biome-ignore format: a table

const percentStep = at(
  "%",
  matching(/^%([0-9a-f]{2})/iu, 3, ([, digits]) => Buffer.from(digits!, "hex")),
);
const backslashStep = at(
  "\\",
  matching(
    /^\\(?:((?:u[0-9a-f]{4}(?:\\u[dD][c-fC-F][0-9a-fA-F]{2})?))|x([0-9a-f]{2})|([0-7]{1,3})|([^ux]))/iu,
    12,
    ([, unicode, pair, octal, other]) => {
      if (unicode !== undefined) {
        const [high, low] = unicode.split("\\").map((unit) => Number.parseInt(unit.slice(1), 16));
        return Buffer.from(low === undefined ? String.fromCharCode(high!) : String.fromCharCode(high!, low));
      }
      if (pair !== undefined) return Buffer.from(pair, "hex");
      if (octal !== undefined) return Uint8Array.of(Number.parseInt(octal, 8) & 255);
      return Buffer.from(controls[other!] ?? other!, "latin1");
    },
  ),
);
const strayBackslashStep: Step = (input, index) =>
  input[index] === 0x5c && input[index + 1] === 0x5c ? undefined : backslashStep(input, index);
const htmlStep = at(
  "&",
  matching(/^&(?:#x([0-9a-f]{1,6});?|#([0-9]{1,7});?|([A-Za-z]+);)/iu, 16, ([, digits, decimal, name]) => {
    if (name !== undefined) return htmlCharacters[name] === undefined ? undefined : Buffer.from(htmlCharacters[name]);
    const codePoint = digits === undefined ? Number(decimal) : Number.parseInt(digits, 16);
    return codePoint > 0x10ffff ? undefined : Buffer.from(String.fromCodePoint(codePoint));
  }),
);
const quietStep = at(
  "\x1b\xe2\xef\xc2\xcd\xe1\r\n\0",
  matching(
    /^(?:\x1b\[[ -?]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf|\xef\xb8[\x80-\x8f]|\xc2\xad|\xcd\x8f|\xe1\xa0\x8e|[\r\n\0])/u,
    300,
    () => NOTHING,
  ),
);

const strippers: Readonly<Record<string, (view: View) => View>> = {
  "without control sequences": (view) => replaced(view, quietStep) ?? view,
  "without erased characters": (view) =>
    replaced(view, (input, index) => (input[index + 1] === 0x08 && input[index] !== 0x08 ? { bytes: NOTHING, taken: 2 } : undefined)) ??
    view,
};

const decoders: Readonly<Record<string, (view: View) => View[]>> = {
  percent: (view) => present(replaced(view, percentStep)),
  // A backslash before a backslash: one escaped, or a stray one before an escape.
  backslash: (view) => [...present(replaced(view, backslashStep)), ...present(replaced(view, strayBackslashStep))],
  html: (view) => present(replaced(view, htmlStep)),
  base64: (view) => decoded(runs(view, base64Run), 4, "base64"),
  hex: (view) => decoded(runs(view, hexRun), 2, "hex"),
};

const present = (view: View | undefined): View[] => (view === undefined ? [] : [view]);

interface RunKind {
  readonly letters: string;
  readonly between: string;
  readonly shortest: number;
}

const base64Run: RunKind = {
  letters: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_",
  between: "\r\n\0",
  shortest: 10,
};
const hexRun: RunKind = { letters: "0123456789abcdefABCDEF", between: ":, \t\r\n\0", shortest: 16 };

/** Runs of letters, what may stand between them left out. `0x` before a pair of hex digits stands between. */
function runs({ bytes, offsets }: View, { letters, between, shortest }: RunKind): View[] {
  const found: View[] = [];
  let run: number[] = [];
  let from: number[] = [];
  const end = () => {
    if (run.length >= shortest) found.push({ bytes: Buffer.from(run), offsets: Uint32Array.from(from) });
    run = [];
    from = [];
  };
  for (let index = 0; index < bytes.length; index++) {
    const character = String.fromCharCode(bytes[index]!);
    if (letters === hexRun.letters && character === "0" && bytes[index + 1] === 0x78) {
      index++;
    } else if (letters.includes(character)) {
      run.push(bytes[index]!);
      from.push(offsets[index]!);
    } else if (!between.includes(character)) end();
  }
  end();
  return found;
}

/** The runs decoded from each of their first `phases` letters on, with bytes between them that no value holds. */
function decoded(runs: readonly View[], phases: number, form: "base64" | "hex"): View[] {
  if (runs.length === 0) return [];
  const ratio = form === "hex" ? 2 : 4 / 3;
  return Array.from({ length: phases }, (_, phase) => {
    const parts: Buffer[] = [];
    const from: number[] = [];
    for (const { bytes, offsets } of runs) {
      const part = Buffer.from(bytes.toString("latin1", phase), form);
      parts.push(part, BREAK);
      for (let index = 0; index < part.length + BREAK.length; index++)
        from.push(offsets[Math.min(offsets.length - 1, phase + Math.floor(index * ratio))]!);
    }
    return { bytes: Buffer.concat(parts), offsets: Uint32Array.from(from) };
  });
}
