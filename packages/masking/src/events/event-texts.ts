/** The texts of one event: each JSON string in its data with its JSON pointer (RFC 6901), or all its data where that is no JSON. */
import { hash } from "node:crypto";
import { isJsonSpace } from "../json/skeleton.ts";
import { BACKSLASH, nibbles } from "../letters.ts";
import type { EventFormat } from "./event-splitter.ts";

/** A text, decoded, and where each of its bytes is written in the event. */
export interface EventText {
  readonly pointer: string;
  readonly bytes: Uint8Array;
  /** Byte `i` is written at `starts[i]` to `ends[i] - 1` of the event. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** Half of a surrogate pair before its first byte or after its last, which the text before or after may complete. */
  readonly low?: Half;
  readonly high?: Half;
}

/** A UTF-16 unit that is no character by itself, and where it is written. */
export interface Half {
  readonly unit: number;
  readonly start: number;
  readonly end: number;
}

/** JSON nested deeper than this has no pointer of its own. */
const MAX_DEPTH = 64;
const QUOTE = 0x22;
/** Before each text of a JSON sequence (RFC 7464). */
const RECORD_SEPARATOR = 0x1e;

/** The texts of `event`, in order. */
export function textsOf(event: Uint8Array, format: EventFormat): EventText[] {
  const data = format === "sse" ? dataOf(event) : lineOf(event);
  const first = data.bytes.find((byte) => !isJsonSpace(byte) && byte !== RECORD_SEPARATOR);
  if (first === undefined) return [];
  const json = first === 0x7b || first === 0x5b || first === QUOTE;
  return json ? stringsOf(data) : [data];
}

/** Where an event begins after a byte order mark, which a stream may begin with (HTML §9.2.5). */
const beginningOf = (event: Uint8Array): number => (event[0] === 0xef && event[1] === 0xbb && event[2] === 0xbf ? 3 : 0);

const lineOf = (event: Uint8Array): EventText => {
  const begin = beginningOf(event);
  const bytes = event.subarray(begin);
  const starts = Array.from(bytes, (_, at) => begin + at);
  return { pointer: "", bytes, starts, ends: starts.map((at) => at + 1) };
};

/** What follows `data:` in each line, one space left out (HTML §9.2.6), joined by line feeds. */
function dataOf(event: Uint8Array): EventText {
  const bytes: number[] = [];
  const starts: number[] = [];
  for (let at = beginningOf(event); at < event.length; ) {
    let end = at;
    while (end < event.length && event[end] !== 0x0a && event[end] !== 0x0d) end++;
    const line = Buffer.from(event.buffer, event.byteOffset + at, end - at).toString("latin1", 0, 6);
    if (line.startsWith("data:")) {
      if (bytes.length > 0) {
        bytes.push(0x0a);
        starts.push(at);
      }
      for (let each = at + (line[5] === " " ? 6 : 5); each < end; each++) {
        bytes.push(event[each]!);
        starts.push(each);
      }
    }
    at = end + 1;
  }
  return { pointer: "", bytes: Uint8Array.from(bytes), starts, ends: starts.map((start) => start + 1) };
}

interface Nest {
  readonly array: boolean;
  /** The pointer of the object or array itself. */
  readonly above: string;
  /** The member's name, or the element's index, at which the reader is. */
  at: string;
  index: number;
  /** An object's next string is a name. */
  name: boolean;
}

/** Every string that is a value. Lenient: what is no JSON is read over, since whoever reads the stream may be lenient too. */
function stringsOf(data: EventText): EventText[] {
  const texts: EventText[] = [];
  const nests: Nest[] = [];
  const { bytes } = data;
  for (let at = 0; at < bytes.length; at++) {
    const nest = nests.at(-1);
    switch (bytes[at]) {
      case 0x7b:
      case 0x5b: {
        const array = bytes[at] === 0x5b;
        if (nests.length < MAX_DEPTH) nests.push({ array, above: pointerOf(nests), at: array ? "0" : "", index: 0, name: !array });
        break;
      }
      case 0x7d:
      case 0x5d:
        nests.pop();
        break;
      case 0x3a:
        if (nest !== undefined) nest.name = false;
        break;
      case 0x2c:
        if (nest?.array) nest.at = String(++nest.index);
        else if (nest !== undefined) nest.name = true;
        break;
      case QUOTE: {
        const { text, end } = stringAt(data, at + 1, nests);
        at = end;
        if (nest?.name) nest.at = Buffer.from(text.bytes).toString("utf8");
        else texts.push(text);
      }
    }
  }
  return texts;
}

/** Where the reader is. */
function pointerOf(nests: readonly Nest[]): string {
  const nest = nests.at(-1);
  return nest === undefined ? "" : `${nest.above}/${segment(nest.at)}`;
}

/** A name longer than this stands in pointers by its hash: pointers of an event must not outgrow it. */
const MAX_NAME = 64;
const segment = (name: string): string =>
  name.length > MAX_NAME ? `~2${hash("sha256", name, "base64url")}` : name.replaceAll("~", "~0").replaceAll("/", "~1");

const controls: Readonly<Record<number, number>> = { 98: 8, 102: 12, 110: 10, 114: 13, 116: 9 };

function stringAt(data: EventText, from: number, nests: readonly Nest[]): { text: EventText; end: number } {
  const { bytes } = data;
  const out: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  const add = (decoded: Uint8Array | readonly number[], start: number, end: number) => {
    for (const byte of decoded) {
      out.push(byte);
      starts.push(data.starts[start]!);
      ends.push(data.ends[end - 1]!);
    }
  };
  let at = from;
  let low: Half | undefined;
  let high: Half | undefined;
  while (at < bytes.length && bytes[at] !== QUOTE) {
    if (bytes[at] !== BACKSLASH || at + 1 >= bytes.length) {
      add([bytes[at]!], at, at + 1);
      at++;
      continue;
    }
    const escaped = bytes[at + 1]!;
    const unit = escaped === 0x75 ? unitAt(bytes, at + 2) : -1;
    if (unit < 0) {
      add([controls[escaped] ?? escaped], at, at + 2);
      at += 2;
      continue;
    }
    const isHigh = unit >= 0xd800 && unit < 0xdc00;
    const second = isHigh && bytes[at + 6] === BACKSLASH && bytes[at + 7] === 0x75 ? unitAt(bytes, at + 8) : -1;
    const length = second < 0 ? 6 : 12;
    const half = { unit, start: data.starts[at]!, end: data.ends[Math.min(at + 5, data.ends.length - 1)]! };
    if (isHigh && second < 0 && bytes[at + 6] === QUOTE) high = half;
    else if (unit >= 0xdc00 && unit < 0xe000 && at === from) low = half;
    else add(Buffer.from(second < 0 ? String.fromCharCode(unit) : String.fromCharCode(unit, second)), at, at + length);
    at += length;
  }
  const halves = { ...(low === undefined ? {} : { low }), ...(high === undefined ? {} : { high }) };
  return { text: { pointer: pointerOf(nests), bytes: Uint8Array.from(out), starts, ends, ...halves }, end: at };
}

/** Four hex digits; −1 where there are none. */
function unitAt(bytes: Uint8Array, at: number): number {
  let unit = 0;
  for (let each = at; each < at + 4; each++) {
    const digit = nibbles[bytes[each] ?? 0]!;
    if (digit < 0) return -1;
    unit = (unit << 4) | digit;
  }
  return unit;
}
