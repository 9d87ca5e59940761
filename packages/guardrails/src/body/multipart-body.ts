import { contentOf } from "../content.ts";
import { utf8 } from "../json/strict-json.ts";
import { Uninspectable } from "../uninspectable.ts";
import { bodyOf, hasBody, headerOf, type JudgedRequest } from "./judged-request.ts";

/** One part of a form (RFC 7578). */
export interface Part {
  readonly name: string;
  /** Given: it is a file. */
  readonly fileName?: string;
  /** Lower case, without parameters. */
  readonly type: string;
  readonly content: Buffer;
}

const maxParts = 1000;
const boundaryForm = /^[A-Za-z0-9'()+_,./:=?-]{1,70}$/;
/** One way to write a disposition: browsers' and every client's; extended (`name*`), unquoted, escaped and repeated parameters are not. */
const disposition = /^form-data; name="([^"\\\r\n]*)"(?:; filename="([^"\\\r\n]*)")?$/i;

/**
 * The parts of a multipart form, read strictly: what lenient parsers read in different ways (text before the first or after the
 * last boundary, folded or repeated part headers, bare line feeds, transfer encodings) is not understood. Undefined where there is no body.
 *
 * @throws Uninspectable
 */
export function multipartBody(request: JudgedRequest): Part[] | undefined {
  if (!hasBody(request)) return undefined;
  const bytes = bodyOf(request);
  const { type, parameters } = contentOf(headerOf(request, "content-type"));
  if (type !== "multipart/form-data") throw new Uninspectable("has a body that does not say it is a multipart form");
  const boundary = parameters.get("boundary") ?? "";
  if (!boundaryForm.test(boundary)) throw new Uninspectable("has a multipart form without a plain boundary");
  if (parameters.has("charset")) throw new Uninspectable("has a multipart form with a charset");
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const delimiter = `\r\n--${boundary}`;
  const first = `--${boundary}\r\n`;
  if (!body.subarray(0, first.length).equals(Buffer.from(first))) throw malformed();
  const parts: Part[] = [];
  for (let at = first.length; ; ) {
    const end = body.indexOf(delimiter, at);
    if (end < 0 || parts.length === maxParts) throw malformed();
    const part = partOf(body.subarray(at, end));
    if (part.content.includes(`\n--${boundary}`) || part.content.includes(`\r--${boundary}`)) throw malformed();
    parts.push(part);
    at = end + delimiter.length;
    const after = body.subarray(at, at + 2).toString("latin1");
    if (after === "--") {
      if (!["", "\r\n"].includes(body.subarray(at + 2).toString("latin1"))) throw malformed();
      return parts;
    }
    if (after !== "\r\n") throw malformed();
    at += 2;
  }
}

function partOf(bytes: Buffer): Part {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) throw malformed();
  const headers = new Map<string, string>();
  for (const line of utf8(bytes.subarray(0, end)).split("\r\n")) {
    const [, name, value] = /^([A-Za-z-]{1,64}): ?([^\r\n\0]*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined || headers.has(name.toLowerCase())) throw malformed();
    headers.set(name.toLowerCase(), value.trim());
  }
  const [, name, fileName] = disposition.exec(headers.get("content-disposition") ?? "") ?? [];
  // A field of this name would change what the others' bytes mean (RFC 7578 §4.6).
  if (
    name === undefined ||
    name === "_charset_" ||
    [...headers.keys()].some((header) => header !== "content-disposition" && header !== "content-type")
  )
    throw malformed();
  const type = headers.get("content-type");
  const content = bytes.subarray(end + 4);
  return {
    name,
    ...(fileName === undefined ? {} : { fileName }),
    type: type === undefined ? "text/plain" : contentOf(type).type,
    content,
  };
}

const malformed = () => new Uninspectable("has a multipart form that readers could take for different ones");

/** A part's text. @throws Uninspectable where it is not UTF-8 */
export const textOf = ({ content }: Part): string => utf8(content);
