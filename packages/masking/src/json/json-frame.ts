/**
 * Keeps JSON valid where values in it are replaced. A placeholder fits into any string, but a value may begin in the middle of an escape
 * (`\n` before `otable…`), end in one, hold quotes that end strings, or stand where no string is. So the frame reads along what goes out.
 *
 * JSON is what begins with `{` or `[` at the start of a line, or after `data:` there, or with `"` at the start of all, for as long as it
 * reads as such (RFC 8259). Elsewhere the frame does nothing.
 */
import type { Form } from "../form.ts";
import { BACKSLASH, LINE_FEED } from "../letters.ts";
import { escapeAfter, isJsonSpace, OUTSIDE, outsideKinds, skeletonOf } from "./skeleton.ts";

const QUOTE = 0x22;
const DATA = Buffer.from("data:");

/** JSON that begins with so many bytes as JSON does is taken for it; and each line's so many, in bytes. */
const CHECKED_BYTES = 1024;
const CHECKED_LINE_BYTES = 16;
/** 1 for a quote; from 2 on, what needs a look. */
const LOOK_ESCAPE = 2;
const looks = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === QUOTE ? 1 : byte === BACKSLASH ? LOOK_ESCAPE : byte === LINE_FEED ? 4 : 0,
);

/** What stands in a value's place: the bytes as the masker would write them, and the placeholder itself. */
export interface Written {
  readonly bytes: Uint8Array;
  readonly placeholder: string;
  readonly form: Form;
}

export class JsonFrame {
  /** Within JSON. */
  #on = false;
  /** Within a string; and where in an escape: how many of its bytes were read, 0 outside of any. */
  #string = false;
  #escaped = 0;
  /** The bytes of that escape did not go out. */
  #dropped = false;
  /** Outside JSON: how many bytes of `data:` this line begins with; −1 when with something else. Within: 0 at the start of a line. */
  #line = 0;
  /** Bytes of it that were looked at one by one. */
  #checked = 0;
  #first = true;

  /** These bytes go out as they are; returns what must go out before them, if anything. */
  pass(bytes: Uint8Array): Uint8Array | undefined {
    const bridge = this.#on && this.#dropped && this.#escaped === 1 ? Uint8Array.of(BACKSLASH) : undefined;
    if (this.#dropped && this.#escaped > 1) this.#escaped = 0;
    this.#dropped = false;
    for (let at = 0; at < bytes.length; ) {
      at = this.#on ? this.#readJson(bytes, at) : this.#readElsewhere(bytes, at);
    }
    return bridge;
  }

  /** These bytes are replaced; returns what goes out instead. */
  replace(span: Uint8Array, written: Written): Uint8Array {
    if (!this.#on && !this.#begins(span)) {
      this.pass(span);
      return written.bytes;
    }
    if (!this.#string) return this.#replaceOutside(span, written);
    const completed = this.#dropped || this.#escaped === 0 ? "" : this.#escaped === 1 ? "/" : "0".repeat(6 - this.#escaped);
    const inside = written.form.kind === "number" ? written.bytes.subarray(1, -1) : written.bytes;
    return Buffer.concat([Buffer.from(completed), inside, this.cover(span)]);
  }

  /** These bytes are covered by what was written before; returns what JSON needs of them. */
  cover(bytes: Uint8Array): Uint8Array {
    if (!this.#on) {
      this.pass(bytes);
      return NOTHING;
    }
    const skeleton = this.#take(bytes, undefined);
    return skeleton === undefined ? NOTHING : Buffer.from(skeleton, "latin1");
  }

  /** The stream ends. */
  finish(): void {
    this.#on = false;
    this.#string = false;
    this.#escaped = 0;
    this.#dropped = false;
    this.#checked = 0;
    this.#line = 0;
    this.#first = true;
  }

  /** Whether JSON begins with the first of these bytes; it is on then. */
  #begins(bytes: Uint8Array): boolean {
    this.#on = this.#mayBegin(bytes[0]!);
    return this.#on;
  }

  /** Whether JSON begins with this byte, where the line is read up to it. */
  #mayBegin(byte: number): boolean {
    const line = this.#line === 0 || this.#line === DATA.length;
    return line && (byte === 0x7b || byte === 0x5b || (byte === QUOTE && this.#first));
  }

  #replaceOutside(span: Uint8Array, { bytes, placeholder, form }: Written): Uint8Array {
    if (form.kind === "number") return bytes;
    if (form.kind !== "text") return Buffer.from(`"${placeholder}"`, "latin1");
    const skeleton = this.#take(span, placeholder);
    return skeleton === undefined ? bytes : Buffer.from(skeleton, "latin1");
  }

  /** The punctuation of these bytes; `undefined`, and no JSON any more, where they are none. */
  #take(bytes: Uint8Array, placeholder: string | undefined): string | undefined {
    const taken = skeletonOf(bytes, { string: this.#string, escaped: this.#escaped }, placeholder);
    this.#dropped = true;
    this.#line = -1;
    if (taken === undefined) {
      this.#on = false;
      return undefined;
    }
    this.#string = taken.state.string;
    this.#escaped = taken.state.escaped;
    return taken.text;
  }

  #readElsewhere(bytes: Uint8Array, from: number): number {
    let at = from;
    if (this.#line < 0) {
      at = bytes.indexOf(LINE_FEED, from);
      if (at < 0) return bytes.length;
    }
    for (; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === LINE_FEED) this.#line = 0;
      else if (isJsonSpace(byte)) continue;
      else if (this.#mayBegin(byte)) {
        this.#on = true;
        this.#first = false;
        this.#line = -1;
        return at;
      } else if (byte === DATA[this.#line]) this.#line++;
      else {
        this.#line = -1;
        this.#first = false;
        return at + 1;
      }
    }
    return at;
  }

  /** Reads on to the end of the bytes, or of what reads as JSON; once much of it did, quotes, escapes and lines are enough to look at. */
  #readJson(bytes: Uint8Array, from: number): number {
    const at = this.#escaped > 0 ? this.#readEscape(bytes, from) : from;
    if (this.#checked >= CHECKED_BYTES) return this.#follow(bytes, at);
    const to = this.#check(bytes, at, Math.min(bytes.length, at + CHECKED_BYTES - this.#checked));
    this.#checked += to - at;
    return to;
  }

  #follow(bytes: Uint8Array, from: number): number {
    let odd = this.#string ? 1 : 0;
    for (let at = from; at < bytes.length; at++) {
      const look = looks[bytes[at]!]!;
      odd ^= look & 1;
      if (look < 2) continue;
      this.#string = odd === 1;
      if (odd === 1 && look === LOOK_ESCAPE) {
        this.#escaped = 1;
        at = this.#readEscape(bytes, at + 1) - 1;
        continue;
      }
      // A line in JSON goes on with JSON, and has no break in a string: else it is looked at anew.
      this.#checked = CHECKED_BYTES - CHECKED_LINE_BYTES;
      return at;
    }
    this.#string = odd === 1;
    this.#line = -1;
    return bytes.length;
  }

  #check(bytes: Uint8Array, from: number, to: number): number {
    let string = this.#string;
    let kinds = string ? inString : outside;
    let at = from;
    for (; at < to; at++) {
      const byte = bytes[at]!;
      if (kinds[byte] === 0) continue;
      if (byte === QUOTE) {
        string = !string;
        kinds = string ? inString : outside;
      } else if (byte === BACKSLASH && string) {
        this.#escaped = 1;
        at = this.#readEscape(bytes, at + 1) - 1;
      } else {
        this.#checked = 0;
        const again = byte === LINE_FEED || this.#beginsLine(bytes, from, at);
        this.#leave();
        if (!again) this.#line = -1;
        return at;
      }
    }
    this.#string = string;
    this.#line = !string && this.#beginsLine(bytes, from, at) ? 0 : -1;
    return at;
  }

  /** Reads the rest of an escape, as far as it is there. */
  #readEscape(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && this.#escaped > 0) this.#escaped = escapeAfter(this.#escaped, bytes[at++]!);
    return at;
  }

  /** Whether but white space stands before `at` in its line. */
  #beginsLine(bytes: Uint8Array, from: number, at: number): boolean {
    let before = at;
    while (before > from && isJsonSpace(bytes[before - 1]!)) {
      before--;
      if (bytes[before] === LINE_FEED) return true;
    }
    return before === from && this.#line === 0;
  }

  #leave(): void {
    this.#on = false;
    this.#string = false;
    this.#escaped = 0;
    this.#line = 0;
  }
}

/** 0 for what needs no look, by where it stands. A line break is in no string (RFC 8259 §7), so what has one there is no JSON. */
const inString = Uint8Array.from({ length: 256 }, (_, byte) => (byte === QUOTE || byte === BACKSLASH || byte === LINE_FEED ? 1 : 0));
const outside = Uint8Array.from({ length: 256 }, (_, byte) => (outsideKinds[byte] === OUTSIDE ? 1 : 0));

const NOTHING = new Uint8Array(0);
