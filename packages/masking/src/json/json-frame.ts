/**
 * Keeps JSON valid where values in it are replaced. A placeholder fits into any string, but a value may begin in the middle of an escape
 * (`\n` before `otable…`), end in one, hold quotes that end strings, or stand where no string is. So the frame reads along what goes out.
 *
 * JSON is what begins with `{` or `[` at the start of a line, or after `data:` there, or with `"` at the start of all, for as long as it
 * reads as such (RFC 8259). Elsewhere the frame does nothing.
 */
import type { Form } from "../form.ts";
import { escapeAfter, isJsonSpace, OUTSIDE, outsideKinds, skeletonOf } from "./skeleton.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LINE_FEED = 0x0a;
const DATA = Buffer.from("data:");

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
  #first = true;

  /** These bytes go out as they are; returns what must go out before them, if anything. */
  pass(bytes: Uint8Array): Uint8Array | undefined {
    const bridge = this.#on && this.#dropped && this.#escaped === 1 ? Uint8Array.of(BACKSLASH) : undefined;
    if (this.#dropped && this.#escaped > 1) this.#escaped = 0;
    this.#dropped = false;
    for (let at = 0; at < bytes.length; ) {
      if (!this.#on) at = this.#readElsewhere(bytes, at);
      else if (this.#string) at = this.#readString(bytes, at);
      else at = this.#readOutside(bytes, at);
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
    this.#line = 0;
    this.#first = true;
  }

  /** Whether JSON begins with the first of these bytes; it is on then. */
  #begins(bytes: Uint8Array): boolean {
    const line = this.#line === 0 || this.#line === DATA.length;
    this.#on = line && (bytes[0] === 0x7b || bytes[0] === 0x5b || (bytes[0] === QUOTE && this.#first));
    return this.#on;
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
      else if ((this.#line === 0 || this.#line === DATA.length) && (byte === 0x7b || byte === 0x5b || (byte === QUOTE && this.#first))) {
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

  #readString(bytes: Uint8Array, from: number): number {
    let at = from;
    for (; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (this.#escaped > 0) {
        this.#escaped = escapeAfter(this.#escaped, byte);
      } else if (byte === BACKSLASH) {
        this.#escaped = 1;
      } else if (byte === QUOTE) {
        this.#string = false;
        return at + 1;
      } else if (byte === LINE_FEED) {
        this.#leave();
        return at;
      }
    }
    return at;
  }

  #readOutside(bytes: Uint8Array, from: number): number {
    let at = from;
    for (; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        this.#string = true;
        this.#line = -1;
        return at + 1;
      }
      if (outsideKinds[byte] === OUTSIDE) {
        const again = this.#line === 0;
        this.#leave();
        if (!again) this.#line = -1;
        return at;
      }
      if (byte === LINE_FEED) this.#line = 0;
      else if (!isJsonSpace(byte)) this.#line = -1;
    }
    return at;
  }

  #leave(): void {
    this.#on = false;
    this.#string = false;
    this.#escaped = 0;
    this.#line = 0;
  }
}

const NOTHING = new Uint8Array(0);
