import type { FieldRule } from "../data-rules.ts";
import { DataUnreadable } from "../data-unreadable.ts";
import type { Finding, Found } from "../finding.ts";
import { RawFinding, type Source } from "../source.ts";
import { TextWindow } from "../text-window.ts";
import { escaped } from "./escape.ts";
import { EventLines } from "./event-lines.ts";
import { FieldTracker } from "./field-tracker.ts";
import { isJsonNumber } from "./json-number.ts";
import { PositionMap } from "./position-map.ts";
import { Spans } from "./spans.ts";

export interface JsonSourceOptions {
  /** JSON stands in the data of server-sent events. */
  readonly events: boolean;
  /** What is no JSON is looked through as text, although there are field rules. */
  readonly passOther: boolean;
  readonly found: Found;
}

/** What may come next. */
type State = "document" | "value" | "value-or-end" | "key" | "key-or-end" | "colon" | "after" | "string" | "number" | "word" | "other";

/** In the view, a string's quotes; no finding goes across. */
const QUOTE = 11;
/** In the view, all that is neither string nor number. */
const STRUCTURE = 12;
const maxDepth = 512;
const maxNumberBytes = 64;
/** Longer names are no rule's. */
const maxKeyBytes = 1024;
const words: readonly string[] = ["true", "false", "null"];

/**
 * A body of JSON, as finders see it: what its strings say, escapes undone, and its numbers, each set apart. Reads it as it comes, and keeps no
 * more of it than a number. What turns out to be no JSON is looked through as text from there on, or refused where rules speak of members.
 */
export class JsonSource implements Source {
  readonly raw = new TextWindow();
  readonly view = new TextWindow();
  readonly #map = new PositionMap();
  /** Numbers, in the view. */
  readonly #numbers = new Spans();
  readonly #fields: FieldTracker | undefined;
  readonly #options: JsonSourceOptions;
  readonly #events: EventLines | undefined;
  /** Whether each container around is an array. */
  readonly #stack: boolean[] = [];
  #state: State = "document";
  #isKey = false;
  #key = "";
  /** Where what is read at the moment (a number, a word, an escape) begins in the body; -1 for none. */
  #tokenAt = -1;
  /** Something of the current text was understood. */
  #understood = false;
  /** Up to where the tracker was told what a value says. */
  #told = 0;
  /** The view's memory while the body is read, and how much of it is written. */
  #out: Buffer = this.view.bytes;
  #written = 0;

  constructor(rules: readonly FieldRule[], options: JsonSourceOptions) {
    this.#options = options;
    this.#fields = rules.length === 0 ? undefined : new FieldTracker(rules, options.found);
    this.#events = options.events ? new EventLines() : undefined;
  }

  get settled(): number {
    return this.#fields?.hold ?? Number.POSITIVE_INFINITY;
  }

  append(chunk: Uint8Array): void {
    const from = this.raw.end;
    this.raw.append(chunk);
    // What was held back of a number or an escape may be written now, too.
    this.#open(chunk.length + maxNumberBytes + 16);
    if (this.#events === undefined) this.#read(from, this.raw.end);
    else this.#readEvents(this.#events, from);
    this.#tell(this.raw.end);
    this.view.grow(this.#written - this.view.length);
  }

  finish(): void {
    this.#open(2 * maxNumberBytes);
    this.#endToken(this.raw.end);
    this.#writeRest(this.raw.end);
    this.view.grow(this.#written - this.view.length);
    this.#fields?.reset(this.raw.end);
  }

  #open(count: number): void {
    this.view.reserve(count);
    this.#out = this.view.bytes;
    this.#written = this.view.length;
  }

  rawPosition(position: number): number {
    return this.#map.raw(position);
  }

  toRaw(finding: Finding): Finding {
    const around = this.#numbers.around(finding.start);
    // What goes on after a number is another thing, and stands in no JSON: `12345678Z`.
    if (around === undefined || finding.end > around.end) return new RawFinding(finding, this.#map);
    return { ...finding, start: this.#map.raw(around.start), end: this.#map.raw(around.end), bare: true };
  }

  forget(viewPosition: number, rawPosition: number): void {
    this.view.forget(viewPosition);
    this.#map.forget(this.view.base);
    this.#numbers.forget(this.view.base);
    this.raw.forget(this.#tokenAt < 0 ? rawPosition : Math.min(rawPosition, this.#tokenAt));
  }

  #readEvents(lines: EventLines, from: number): void {
    for (let at = from; at < this.raw.end; ) {
      const { bytes, base } = this.raw;
      const piece = lines.next(bytes.subarray(at - base, this.raw.length));
      const end = at + piece.length;
      if (piece.kind === "data") this.#read(at, end);
      else {
        this.#endToken(at);
        this.#writeRest(at);
        this.#copy(at, end);
        if (piece.kind === "event-end") this.#restart(at);
      }
      at = end;
    }
  }

  /** Another text begins. */
  #restart(at: number): void {
    this.#fields?.reset(at);
    this.#stack.length = 0;
    this.#state = "document";
    this.#understood = false;
  }

  #read(from: number, to: number): void {
    let at = from;
    while (at < to) {
      if (this.#state === "other") return this.#copy(at, to);
      at = this.#state === "string" ? this.#string(at, to) : this.#token(at);
    }
  }

  /** Bytes of a string, from `at` on. @returns where to go on */
  #string(from: number, to: number): number {
    const { bytes: raw, base } = this.raw;
    const view = this.#out;
    const length = this.#written;
    const blank = this.#fields?.inside === true;
    let at = from;
    if (this.#tokenAt >= 0) {
      const undone = escaped(raw.subarray(this.#tokenAt - base, to - base));
      if (undone === "more") return to;
      if (undone === "none") return this.#isOther(this.#tokenAt, from);
      for (const byte of undone.bytes) this.#write(blank ? STRUCTURE : byte);
      if (this.#isKey) this.#key += String.fromCharCode(...undone.bytes);
      at = this.#tokenAt + undone.length;
      this.#tokenAt = -1;
      this.#map.add(this.view.base + this.#written, at);
      return at;
    }
    let write = length;
    let byte = 0;
    for (; at < to; at++) {
      byte = raw[at - base]!;
      if (byte === 34 || byte === 92 || byte < 32) break;
      view[write++] = blank ? STRUCTURE : byte;
    }
    if (this.#isKey && this.#fields !== undefined && this.#key.length < maxKeyBytes) this.#key += view.toString("latin1", length, write);
    this.#written = write;
    if (at === to) return at;
    if (byte === 92) {
      this.#tokenAt = at;
      return at;
    }
    if (byte < 32) return this.#isOther(at, at);
    this.#write(QUOTE);
    this.#understood ||= this.#stack.length > 0;
    if (this.#isKey) {
      this.#fields?.key(Buffer.from(this.#key, "latin1").toString());
      this.#state = "colon";
    } else this.#valueEnds(at + 1, false);
    return at + 1;
  }

  /** One byte outside strings. @returns where to go on */
  #token(at: number): number {
    const byte = this.raw.bytes[at - this.raw.base]!;
    if (this.#state === "number" || this.#state === "word") {
      const goesOn = this.#state === "number" ? isNumeric(byte) : byte >= 97 && byte <= 122;
      if (goesOn && at - this.#tokenAt < maxNumberBytes) return at + 1;
      if (!this.#endToken(at)) return at;
    }
    const state = this.#state;
    if (byte === 32 || byte === 10 || byte === 13 || byte === 9) return this.#structure(at);
    switch (byte) {
      case 34:
        if (state === "key" || state === "key-or-end") {
          this.#isKey = true;
          this.#key = "";
          this.#fields?.keyBegins(at);
        } else if (isValue(state)) {
          this.#isKey = false;
          this.#begins(at, "text");
        } else break;
        this.#state = "string";
        this.#write(QUOTE);
        return at + 1;
      case 123:
      case 91:
        if (!isValue(state) || this.#stack.length === maxDepth) break;
        this.#begins(at, byte === 91 ? "array" : "object");
        this.#stack.push(byte === 91);
        this.#state = byte === 91 ? "value-or-end" : "key-or-end";
        return this.#structure(at);
      case 125:
      case 93: {
        const array = byte === 93;
        if (this.#stack.at(-1) !== array || !(state === "after" || state === (array ? "value-or-end" : "key-or-end"))) break;
        this.#stack.pop();
        this.#structure(at);
        this.#valueEnds(at + 1, true);
        return at + 1;
      }
      case 44:
        if (state !== "after") break;
        this.#fields?.comma(at);
        this.#state = this.#stack.at(-1) === true ? "value" : "key";
        return this.#structure(at);
      case 58:
        if (state !== "colon") break;
        this.#state = "value";
        return this.#structure(at);
      case 0x1e:
      case 0xef:
      case 0xbb:
      case 0xbf:
        // A record's beginning (RFC 7464), a byte order mark.
        if (state !== "document" || (byte !== 0x1e && at > 2)) break;
        return this.#structure(at);
      default:
        if (!isValue(state)) break;
        if (byte === 45 || (byte >= 48 && byte <= 57)) this.#state = "number";
        else if (byte === 116 || byte === 102 || byte === 110) this.#state = "word";
        else break;
        this.#tokenAt = at;
        return at + 1;
    }
    return this.#isOther(at, at);
  }

  /** A number or a word ends before `at`, if one was under way. @returns whether it was one */
  #endToken(at: number): boolean {
    const start = this.#tokenAt;
    if (start < 0 || (this.#state !== "number" && this.#state !== "word")) return true;
    const { bytes, base } = this.raw;
    const isNumber = this.#state === "number";
    const text = isNumber && this.#fields === undefined ? "" : bytes.toString("latin1", start - base, at - base);
    if (!(isNumber ? isJsonNumber(bytes, start - base, at - base) : words.includes(text))) {
      this.#isOther(start, at);
      return false;
    }
    this.#tokenAt = -1;
    this.#understood ||= this.#stack.length > 0;
    const blank = !isNumber || this.#fields?.inside === true;
    if (!blank) this.#numbers.add(this.view.base + this.#written, this.view.base + this.#written + at - start);
    this.#fields?.scalar(start, at, text === "null", text);
    for (let each = start; each < at; each++) this.#write(blank ? STRUCTURE : bytes[each - base]!);
    this.#state = this.#stack.length === 0 ? "document" : "after";
    return true;
  }

  #begins(at: number, kind: "text" | "object" | "array"): void {
    if (this.#stack.length === 0) this.#understood = false;
    const inside = this.#fields?.inside;
    this.#fields?.begins(at, kind);
    if (this.#fields?.inside !== inside) this.#told = at;
  }

  #valueEnds(at: number, container: boolean): void {
    this.#tell(at);
    this.#fields?.ends(at, container);
    this.#state = this.#stack.length === 0 ? "document" : "after";
  }

  /** Tells the tracker what the current value says, up to `at`. */
  #tell(at: number): void {
    this.#fields?.reached(at, () => this.raw.bytes.toString("latin1", this.#told - this.raw.base, at - this.raw.base));
    this.#told = at;
  }

  #structure(at: number): number {
    this.#write(STRUCTURE);
    return at + 1;
  }

  /** From here on it is no JSON. @param pending where bytes begin that are not in the view yet. @returns where to go on */
  #isOther(pending: number, at: number): number {
    const lenient = this.#options.passOther || (this.#events !== undefined && !this.#understood);
    if (this.#fields !== undefined && !lenient) throw new DataUnreadable("It is no JSON.");
    this.#fields?.reset(at);
    this.#stack.length = 0;
    this.#tokenAt = -1;
    this.#state = "other";
    this.#copy(pending, at);
    return at;
  }

  /** Bytes that are held back for an escape or a word that does not come. */
  #writeRest(at: number): void {
    if (this.#tokenAt < 0) return;
    const from = this.#tokenAt;
    this.#tokenAt = -1;
    this.#copy(from, at);
  }

  #copy(from: number, to: number): void {
    const { bytes, base } = this.raw;
    this.#out.set(bytes.subarray(from - base, to - base), this.#written);
    this.#written += to - from;
  }

  #write(byte: number): void {
    this.#out[this.#written++] = byte;
  }
}

const isValue = (state: State): boolean => state === "value" || state === "value-or-end" || state === "document";
const isNumeric = (byte: number): boolean =>
  (byte >= 48 && byte <= 57) || byte === 45 || byte === 43 || byte === 46 || byte === 101 || byte === 69;
