import { Uninspectable } from "./uninspectable.ts";

/** A media type with its parameters (RFC 9110 §8.3.1): type and parameter names in lower case. */
export interface Content {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const whole = new RegExp(`^(${token}/${token})((?:[ \\t]*;[ \\t]*${token}=(?:${token}|"(?:[^"\\\\]|\\\\.)*"))*)[ \\t]*;?[ \\t]*$`);
const each = new RegExp(`;[ \\t]*(${token})=(?:(${token})|"((?:[^"\\\\]|\\\\.)*)")`, "g");

/**
 * @param header `content-type` as sent, or undefined
 * @throws Uninspectable where it is missing, malformed, or says a parameter twice
 */
export function contentOf(header: string | undefined): Content {
  if (header === undefined) throw new Uninspectable("has a body and no content type");
  const match = whole.exec(header.trim());
  if (match === null) throw new Uninspectable("has a content type that cannot be read");
  const parameters = new Map<string, string>();
  for (const [, name = "", plain, quoted] of (match[2] ?? "").matchAll(each)) {
    if (parameters.has(name.toLowerCase())) throw new Uninspectable("has a content type with one parameter twice");
    parameters.set(name.toLowerCase(), plain ?? (quoted ?? "").replaceAll(/\\(.)/gu, "$1"));
  }
  return { type: (match[1] ?? "").toLowerCase(), parameters };
}

/** JSON by its name (RFC 6839 §3.1). */
export const isJson = (type: string): boolean => type === "application/json" || type === "text/json" || type.endsWith("+json");
export const isForm = (type: string): boolean => type === "application/x-www-form-urlencoded";

/** Text in UTF-8 only: another charset would be read otherwise by whoever honours it. @throws Uninspectable */
export function assertUtf8({ parameters }: Content): void {
  const charset = parameters.get("charset")?.toLowerCase();
  if (charset !== undefined && charset !== "utf-8" && charset !== "utf8" && charset !== "us-ascii")
    throw new Uninspectable("declares a charset other than UTF-8");
}
