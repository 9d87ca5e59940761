/**
 * How a value was written where it was found, so that its placeholder can be written the same way and what surrounds it stays
 * valid: base64 still decodes (to text that holds the placeholder), percent-encoding still decodes, UTF-16 stays UTF-16.
 */
export type Form = TextForm | Base64Form | HexForm | NumberForm;

export interface TextForm {
  readonly kind: "text";
  /** How many times over letters of it were percent-encoded, 0 to 2. */
  readonly percent: number;
}

export interface Base64Form {
  readonly kind: "base64";
  /** Bits of the first letter that belong to what stands before the value, and those bits. */
  readonly lead: number;
  readonly leadValue: number;
  /** Bits of the last letter that belong to what follows, and those bits. */
  readonly trail: number;
  readonly trailValue: number;
  /** The first letter stays as it is, and is not in the span: see `base64-reader.ts`. */
  readonly skipsFirst: boolean;
  /** The bits of the value that it shows. */
  readonly shown: number;
  /** What it decoded to. The replacement's length differs by a multiple of three, so what follows keeps its alignment. */
  readonly decoded: Uint8Array;
  readonly inner: Form;
}

export interface HexForm {
  readonly kind: "hex";
  /** Bytes between the first two pairs. */
  readonly gap: number;
  /** The first digit stays as it is, and is not in the span; −1 where it is. */
  readonly shown: number;
  readonly inner: Form;
}

/** A JSON number, or several: the replacement is a JSON string, with what else stood in the number. */
export interface NumberForm {
  readonly kind: "number";
  readonly before?: string;
  readonly after?: string;
}

const FILLER = ".";
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * What replaces `span`, which held a value in `form`. Inside base64 up to two dots (eight where doubled) follow the placeholder.
 * `drop` leaves out that many first letters of the replacement: those the previous replacement already wrote.
 */
export function replacement(placeholder: string, form: Form, span: Uint8Array, drop = 0): Uint8Array {
  for (let fill = 0; ; fill++) {
    const bytes = write(placeholder + FILLER.repeat(fill), form, span);
    if (bytes !== undefined) return drop === 0 ? bytes : bytes.subarray(drop);
  }
}

/** `undefined` when the length does not fit the alignment of what follows. */
function write(text: string, form: Form, span: Uint8Array): Uint8Array | undefined {
  switch (form.kind) {
    case "text": {
      let written = text;
      for (let level = form.percent; level > 0; level--) written = encodeURIComponent(written);
      const bytes = Buffer.from(written, "latin1");
      return span.length > 2 && span[1] === 0 ? joined(bytes) : bytes;
    }
    case "base64": {
      const first = form.skipsFirst && form.inner.kind === "text" ? letterShowing(form.shown, 6 - form.lead, text) : "";
      const inner = write(first + text, form.inner, form.decoded);
      if (inner === undefined || (inner.length - form.decoded.length) % 3 !== 0) return undefined;
      return base64Letters(inner, form).subarray(form.skipsFirst ? 1 : 0);
    }
    case "hex": {
      const first = form.shown < 0 ? [] : [byShownDigit[form.shown]!];
      const inner = write(text, form.inner, NOTHING);
      if (inner === undefined) return undefined;
      const digits = form.shown < 0 ? 2 : 1;
      const between = Buffer.from(span.subarray(digits, digits + form.gap)).toString("latin1");
      const upper = span.some((byte) => byte >= 0x41 && byte <= 0x46);
      const pairs = [...first, ...inner].map((byte) => byte.toString(16).padStart(2, "0"));
      const written = (upper ? pairs.map((pair) => pair.toUpperCase()) : pairs).join(between);
      return Buffer.from(form.shown < 0 ? written : written.slice(1), "latin1");
    }
    case "number":
      return Buffer.from(`"${form.before ?? ""}${text}${form.after ?? ""}"`, "latin1");
  }
}

/** By its first digit of hex, a byte that is no letter of base64, hex or anything escaped. */
const byShownDigit = [0x0f, 0x1f, 0x2e, 0x3f, 0x40, 0x5e, 0x60, 0x7e, 0x8f, 0x9f, 0xaf, 0xbf, 0xcf, 0xdf, 0xef, 0xff];

const NOTHING = new Uint8Array(0);

/** Nothing where `text` begins with the bits `shown`, else a letter to put before it that does. */
function letterShowing(shown: number, bits: number, text: string): string {
  if (text.charCodeAt(0) >> (8 - bits) === shown) return "";
  for (const letter of "._-") if (letter.charCodeAt(0) >> (8 - bits) === shown) return letter;
  for (const letter of ALPHABET) if (letter.charCodeAt(0) >> (8 - bits) === shown) return letter;
  return String.fromCharCode(shown << (8 - bits));
}

/** UTF-16, either order: the byte before the first letter or after the last one stands outside the span. */
function joined(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length * 2 - 1);
  for (let at = 0; at < bytes.length; at++) out[at * 2] = bytes[at]!;
  return out;
}

function base64Letters(bytes: Uint8Array, form: Base64Form): Uint8Array {
  const out = new Uint8Array((form.lead + bytes.length * 8 + form.trail) / 6);
  let bits = form.lead;
  let held = form.leadValue;
  let at = 0;
  const add = (value: number, width: number) => {
    held = (held << width) | value;
    bits += width;
    while (bits >= 6) {
      bits -= 6;
      out[at++] = ALPHABET.charCodeAt((held >> bits) & 63);
    }
    held &= 63;
  };
  for (const byte of bytes) add(byte, 8);
  add(form.trailValue, form.trail);
  return out;
}
