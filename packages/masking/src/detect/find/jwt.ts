import { MORE, NONE, startsWith, type Text, table } from "./text.ts";
import { runEnd } from "./token-matcher.ts";

const maxHeaderBytes = 2048;
const base64url = table(/^[A-Za-z0-9_-]$/);

/**
 * A JOSE token in compact form (RFC 7515 §7.1, RFC 7516 §7.1): a header that is a JSON object with `alg`, a dot, and at least the beginning of
 * the next part. @returns the end of what is certain of it
 */
export function jwtEnd(text: Text, at: number): number {
  const from = startsWith(text, at, "eyJ");
  if (from < 0) return from;
  const { bytes, end, final } = text;
  const header = runEnd(text, at, base64url, maxHeaderBytes + 1);
  if (header - at > maxHeaderBytes) return NONE;
  if (header + 2 >= end) return final ? NONE : MORE;
  if (bytes[header] !== 46 || !(base64url[bytes[header + 1]!] === 1 || bytes[header + 1] === 46)) return NONE;
  return isHeader(bytes.toString("latin1", at, header)) ? header + 2 : NONE;
}

function isHeader(encoded: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(encoded, "base64url").toString("utf8"));
    return typeof header === "object" && header !== null && "alg" in header;
  } catch {
    return false;
  }
}
