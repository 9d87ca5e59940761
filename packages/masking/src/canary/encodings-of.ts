/** One way to write a value. */
export interface Encoding {
  readonly encoding: string;
  readonly bytes: Uint8Array;
}

type Writer = (value: Buffer) => Buffer;

const text =
  (write: (byte: number, index: number) => string): Writer =>
  (value) =>
    Buffer.from(Array.from(value, (byte, index) => write(byte, index)).join(""), "latin1");

const hex = (byte: number, digits = 2) => byte.toString(16).padStart(digits, "0");
const latin = (byte: number) => String.fromCharCode(byte);
const isUnreserved = (byte: number) => /[A-Za-z0-9_.~-]/u.test(latin(byte));

/** Writes each UTF-16 unit of a text value. */
const units =
  (write: (unit: number) => string): Writer =>
  (value) => {
    const characters = value.toString("utf8");
    return Buffer.from(Array.from({ length: characters.length }, (_, at) => write(characters.charCodeAt(at))).join(""), "utf8");
  };

const base64 =
  (before: string, after: string, form: "base64" | "base64url" = "base64"): Writer =>
  (value) =>
    Buffer.from(Buffer.concat([Buffer.from(before), value, Buffer.from(after)]).toString(form));

const wrapped =
  (every: number, line: string): Writer =>
  (value) =>
    Buffer.from(value.toString("base64").replaceAll(new RegExp(`.{${every}}`, "gu"), `$&${line}`));

/** Puts `noise` after the letter in the middle, whole characters kept. */
const interrupted =
  (noise: string): Writer =>
  (value) => {
    const middle = value.findIndex((byte, at) => at >= value.length / 2 && (byte & 0xc0) !== 0x80);
    return Buffer.concat([value.subarray(0, middle), Buffer.from(noise), value.subarray(middle)]);
  };

const percentAll = text((byte) => `%${hex(byte)}`);
const percentReserved = text((byte) => (isUnreserved(byte) ? latin(byte) : `%${hex(byte).toUpperCase()}`));
const jsonUnicode = units((unit) => `\\u${hex(unit, 4)}`);
const jsonString: Writer = (value) => Buffer.from(JSON.stringify(value.toString("utf8")).slice(1, -1));
const plainBase64 = base64("", "");
const names: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "/": "&sol;",
  "+": "&plus;",
  "=": "&equals;",
};

const single: Readonly<Record<string, Writer>> = {
  raw: (value) => value,
  base64: plainBase64,
  "base64, no padding": (value) => Buffer.from(value.toString("base64").replaceAll("=", "")),
  "base64 after one byte": base64("x", ""),
  "base64 after two bytes": base64("xy", " tail"),
  "base64 before a line feed": base64("", "\n"),
  "base64 among others": base64("user:", "\n{}"),
  base64url: base64("", "", "base64url"),
  "base64url after one byte": base64("?", "?", "base64url"),
  "base64url after two bytes": base64("~~", "~", "base64url"),
  "base64 in lines": wrapped(7, "\n"),
  "base64 in CRLF lines": wrapped(5, "\r\n"),
  "hex, lower case": text((byte) => hex(byte)),
  "hex, upper case": text((byte) => hex(byte).toUpperCase()),
  "hex, mixed case": text((byte, index) => (index % 2 === 0 ? hex(byte) : hex(byte).toUpperCase())),
  "hex with colons": text((byte, index) => `${index === 0 ? "" : ":"}${hex(byte)}`),
  "hex with spaces": text((byte, index) => `${index === 0 ? "" : " "}${hex(byte).toUpperCase()}`),
  "hex with 0x": text((byte, index) => `${index === 0 ? "" : ", "}0x${hex(byte)}`),
  "percent, every byte": percentAll,
  "percent, every byte, upper case": text((byte) => `%${hex(byte).toUpperCase()}`),
  "percent, reserved": percentReserved,
  "percent, mixed case": text((byte, index) =>
    isUnreserved(byte) && index % 3 > 0 ? latin(byte) : index % 2 > 0 ? `%${hex(byte)}` : `%${hex(byte).toUpperCase()}`,
  ),
  "form encoding": (value) => Buffer.from(percentReserved(value).toString("latin1").replaceAll("%20", "+")),
  "JSON string": jsonString,
  "JSON string, slashes escaped": (value) => Buffer.from(jsonString(value).toString("utf8").replaceAll("/", "\\/")),
  "JSON \\u, lower case": jsonUnicode,
  "JSON \\u, upper case": units((unit) => `\\u${hex(unit, 4).toUpperCase()}`),
  "HTML names": units((unit) => names[String.fromCharCode(unit)] ?? String.fromCharCode(unit)),
  "HTML decimal": (value) => Buffer.from(Array.from(value.toString("utf8"), (character) => `&#${character.codePointAt(0)};`).join("")),
  "HTML hex": (value) =>
    Buffer.from(Array.from(value.toString("utf8"), (character) => `&#x${character.codePointAt(0)?.toString(16)};`).join("")),
  "shell octal": text((byte) => `\\${byte.toString(8).padStart(3, "0")}`),
  "shell \\x": text((byte) => `\\x${hex(byte)}`),
  "UTF-16LE": (value) => Buffer.from(value.toString("utf8"), "utf16le"),
  "UTF-16BE": (value) => Buffer.from(value.toString("utf8"), "utf16le").swap16(),
  "with a colour": interrupted("\x1b[31m"),
  "with a title": interrupted("\x1b]0;title\x07"),
  "with a backspace": interrupted("P\b"),
  "with a zero-width space": interrupted("\u200b"),
  "with a soft hyphen": interrupted("\u00ad"),
  "with a wrap": interrupted("\r\n"),
};

/** Only around others: a letter of hex is not itself spelled. */
const outermost: Readonly<Record<string, Writer>> = { "hex, lower case": text((byte) => hex(byte)) };

const doubled: Readonly<Record<string, Writer>> = {
  "percent, every byte": percentAll,
  "percent, reserved": percentReserved,
  "JSON \\u": jsonUnicode,
  "JSON string": jsonString,
  base64: plainBase64,
  "base64 after one byte": base64("x", "y"),
  "base64 after two bytes": base64("xy", "z"),
};

/**
 * A text value in every way that the masker promises to see through; for values that are not UTF-8 the character-wise ones mean nothing.
 * Written apart from the masker, so that it can be tested with it.
 */
export function encodingsOf(value: string | Uint8Array): Encoding[] {
  const bytes = Buffer.from(value);
  const all: Encoding[] = Object.entries(single).map(([encoding, write]) => ({ encoding, bytes: write(bytes) }));
  for (const [inner, writeInner] of Object.entries(doubled)) {
    for (const [outer, writeOuter] of Object.entries({ ...doubled, ...outermost })) {
      all.push({ encoding: `${outer} of ${inner}`, bytes: writeOuter(writeInner(bytes)) });
    }
  }
  return all;
}
