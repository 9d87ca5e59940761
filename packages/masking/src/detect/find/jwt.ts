import { MORE, NONE, startsWith, type Text, table } from "./text.ts";
import { runEnd } from "./token-matcher.ts";

const maxHeaderBytes = 2048;
const base64url = table(/^[A-Za-z0-9_-]$/);

/** Of one stretch of base64url, no more beginnings than these are tried. */
const maxTries = 4;

/** Looks for JOSE tokens in compact form (RFC 7515 §7.1, RFC 7516 §7.1). */
export class JwtMatcher {
  /** The stretch that was looked at last, as positions. */
  #from = 0;
  #to = 0;
  #tries = 0;

  /**
   * A header that is a JSON object with `alg`, a dot, and at least the beginning of the next part.
   *
   * @param base position of the text's first byte
   * @returns the end of what is certain of it
   */
  match(text: Text, at: number, base: number): number {
    const start = startsWith(text, at, "eyJ");
    if (start < 0) return start;
    const { bytes, end, final } = text;
    const position = base + at;
    const same = position >= this.#from && position < this.#to;
    const header = runEnd(text, same ? this.#to - base : at, base64url, end);
    if (!same) {
      this.#from = position;
      this.#tries = 0;
    }
    this.#to = base + header;
    if (header >= end) return final || header - at > maxHeaderBytes ? NONE : MORE;
    if (header - at > maxHeaderBytes || bytes[header] !== 46) return NONE;
    if (header + 1 >= end) return final ? NONE : MORE;
    if (base64url[bytes[header + 1]!] !== 1 && bytes[header + 1] !== 46) return NONE;
    if (header + 2 >= end && !final) return MORE;
    return ++this.#tries <= maxTries && isHeader(bytes.toString("latin1", at, header)) ? header + 2 : NONE;
  }
}

function isHeader(encoded: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(encoded, "base64url").toString("utf8"));
    return typeof header === "object" && header !== null && "alg" in header;
  } catch {
    return false;
  }
}
