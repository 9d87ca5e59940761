import { type Attack, type Family, inside, passes } from "./attack.ts";
import type { Lab } from "./lab.ts";

const smuggled = (lab: Lab) => lab.head("GET /anything?smuggled");
/** Framing of a POST, with another request behind it. */
const framed = (name: string, framing: string): Attack =>
  inside(name, "INVALID_REQUEST", (lab) => `POST /anything HTTP/1.1\r\nHost: ${lab.host}\r\n${framing}${smuggled(lab)}`);
const line = (name: string, bytes: (lab: Lab) => string): Attack => inside(name, "INVALID_REQUEST", bytes);

/** Request smuggling (RFC 9112 §11.2): whatever two readers could end in two places. */
export const framing: Family = {
  name: "framing",
  attacks: [
    framed("a length and chunked", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    framed("chunked and a length", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"),
    framed("chunked, identity", "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    framed("identity alone", "Transfer-Encoding: identity\r\n\r\n"),
    framed("an unknown transfer coding", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    framed("gzip, chunked", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    framed("chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    framed("a vertical tab before chunked", "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n"),
    framed("a form feed after chunked", "Transfer-Encoding: chunked\x0c\r\n\r\n0\r\n\r\n"),
    framed("a space before the colon", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    framed("a line feed in a chunk's extension", "Transfer-Encoding: chunked\r\n\r\n5;x\nX\r\nhello\r\n0\r\n\r\n"),
    framed("a signed chunk size", "Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n"),
    framed("a chunk size in hex notation", "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"),
    framed("a chunk longer than it says", "Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n"),
    framed("a chunk size that overflows", "Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n"),
    framed("bare line feeds in chunks", "Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n"),
    framed("bare line feeds in the head", "X-A: b\nContent-Length: 0\n\n"),
    framed("a bare carriage return in a header", "X-A: b\rContent-Length: 0\r\n\r\n"),
    framed("a signed length", "Content-Length: +5\r\n\r\nhello"),
    framed("a list of lengths", "Content-Length: 5, 5\r\n\r\nhello"),
    framed("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    framed("the same length twice", "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    framed("a negative length", "Content-Length: -1\r\n\r\n"),
    framed("a length in hex", "Content-Length: 0x5\r\n\r\nhello"),
    framed("a length that overflows", "Content-Length: 18446744073709551621\r\n\r\nhello"),
    framed("a folded header", "X-A: b\r\n Content-Length: 5\r\n\r\n"),
    framed("a folded transfer coding", "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    framed("a NUL in a header", "X-A: b\0c\r\nContent-Length: 0\r\n\r\n"),
    framed("a header without a name", ": x\r\nContent-Length: 0\r\n\r\n"),
    framed("a header without a colon", "Content-Length 5\r\n\r\nhello"),
    framed("a length with an underscore", "Content_Length: 0\r\nContent-Length: 0\r\n\r\n"),
    line(
      "a GET with a body that is a request",
      (lab) => lab.head("GET /anything", `Content-Length: ${smuggled(lab).length}`) + smuggled(lab),
    ),
    line("a HEAD with chunks", (lab) => `${lab.head("HEAD /anything", "Transfer-Encoding: chunked")}0\r\n\r\n${smuggled(lab)}`),
    line("chunks in HTTP/1.0", ({ host }) => `POST /anything HTTP/1.0\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
    line("HTTP/0.9", () => "GET /anything\r\n\r\n"),
    line("a NUL in front of the request", (lab) => `\0${lab.head("GET /anything")}`),
    line("two versions", ({ host }) => `GET /anything HTTP/1.1 HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
    line("HTTP/2.0 on a connection of HTTP/1.1", ({ host }) => `GET /anything HTTP/2.0\r\nHost: ${host}\r\n\r\n`),
    line("the preface of HTTP/2", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    line("a tab in the request line", ({ host }) => `GET\t/anything HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
    line("a bare line feed after the request line", ({ host }) => `GET /anything HTTP/1.1\nHost: ${host}\n\n`),
    line("a bare carriage return in the request line", ({ host }) => `GET /any\rthing HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
    line("a header line before the first header", ({ host }) => `GET /anything HTTP/1.1\r\n X-A: b\r\nHost: ${host}\r\n\r\n`),
    line("TLS in TLS", () => "\x16\x03\x01\x00\x05hello"),
  ],
  twins: [
    passes("a length", (lab) => `${lab.head("POST /anything", "Content-Type: text/plain", "Content-Length: 5")}hello`),
    passes(
      "chunks, with an extension and a trailer",
      (lab) =>
        `${lab.head("POST /anything", "Content-Type: text/plain", "Transfer-Encoding: Chunked")}5;name=value\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n`,
    ),
    passes("a GET with a length of nothing", (lab) => lab.head("GET /anything", "Content-Length: 0")),
    passes("an empty line in front", (lab) => `\r\n${lab.head("GET /anything")}`),
    passes("an h2c upgrade, which is not taken", (lab) =>
      lab.head("GET /anything", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
    ),
  ],
};
