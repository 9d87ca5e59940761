import { Refusal } from "@sallyport/contracts";

/**
 * Frameworks run another method than the one on the request line where a parameter says so (`_method`, as in Rails, Laravel
 * and Symfony; the override headers' names, as in some proxies). The same search serves query, form, multipart and JSON, whole
 * or in pieces. It sees through percent-encoding, JSON escapes, and PHP's reading of `.method` and ` _method`.
 */
const names = ["method", "httpmethod"];
const hyphened = ["x-http-method-override", "x-http-method", "x-method-override"];

const eachOf = (text: string, spelling: (char: string) => string) => [...text].map(spelling).join("");
const hexOf = (char: string) => char.charCodeAt(0).toString(16).padStart(2, "0");
const literal = (char: string) => (char === "-" ? "[-_]" : char);
const inForm = (char: string) => `(?:${literal(char)}|%${hexOf(char)}${char === "-" ? "|%5f" : ""})`;
const inJson = (char: string) => `(?:${literal(char)}|\\\\u00${hexOf(char)})`;

const formNames = [
  ...names.map((name) => `(?:[_.[]|%5f|%2e|%5b)${eachOf(name, inForm)}`),
  ...hyphened.map((name) => eachOf(name, inForm)),
].join("|");
const form = new RegExp(`(?:^|[?&;])(?:[+ ]|%20)*(?:${formNames})(?:=|\\[|%5b|%00)`, "i");
const json = new RegExp(`"(?:${[...names.map((name) => `(?:_|\\\\u005f)${eachOf(name, inJson)}`)].join("|")})"`, "i");
const multipart = new RegExp(
  `content-disposition\\s*:[\\s\\S]{0,200}?[;\\s]name\\*?\\s*=\\s*"?(?:[^'"\\r\\n]{0,20}'[^'"\\r\\n]{0,20}')?\\s*(?:${formNames})["\\s;[]`,
  "i",
);

/** Bytes that the longest match can span over two pieces. */
const overlap = 512;

export const overridesInQuery = (query: string): boolean => form.test(query);

/** Looks through a body, piece by piece, for a parameter that overrides the method. */
export class OverrideSearch {
  readonly #pattern: RegExp | undefined;
  #tail = "";

  /** @param contentType as the agent sends it; other kinds than forms and JSON are not parsed for parameters by anyone */
  constructor(contentType: string | undefined) {
    const type = (contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
    this.#pattern =
      type === "application/x-www-form-urlencoded"
        ? form
        : type.startsWith("multipart/")
          ? multipart
          : /[/+]json$/.test(type)
            ? json
            : undefined;
  }

  /** @throws Refusal INVALID_REQUEST once it is there */
  look(piece: Uint8Array): void {
    if (this.#pattern === undefined) return;
    const text = this.#tail + Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString("latin1");
    if (this.#pattern.test(text)) throw overridden("body");
    // Not at a text's start: what was cut off in front must not make a name of the rest of one.
    this.#tail = text.length > overlap ? `x${text.slice(-overlap)}` : text;
  }
}

export const overridden = (place: "query" | "body") =>
  new Refusal(
    "INVALID_REQUEST",
    `The ${place} asks for another method than the one that is judged (_method or the like); send that method itself.`,
  );
