import type { JudgedRequest } from "../body/judged-request.ts";
import type { Rule } from "./rule.ts";
import { RuleSet, type Verdict } from "./rule-set.ts";

export const host = "api.example.com";

export interface Sketch {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array | "streamed";
}

export function requestOf({ method = "GET", path = "/v1/things", headers = {}, body = "" }: Sketch): JudgedRequest {
  const at = path.indexOf("?");
  return {
    method,
    path: at < 0 ? path : path.slice(0, at),
    query: at < 0 ? "" : path.slice(at),
    headers: Object.entries(headers),
    body: body === "streamed" ? body : Buffer.from(body),
  };
}

export const judge = (rules: Partial<Rule> | readonly Rule[], sketch: Sketch): Verdict =>
  new RuleSet(Array.isArray(rules) ? rules : [{ name: "rule", because: "It is so", ...(rules as Partial<Rule>) }], host).judge(
    requestOf(sketch),
  );

/** `allowed`, or the sentence. */
export function told(rules: Partial<Rule> | readonly Rule[], sketch: Sketch): string {
  const verdict = judge(rules, sketch);
  return verdict.kind === "allowed" ? "allowed" : verdict.sentence;
}

export const post = (body: string | Uint8Array | "streamed", type = "application/json", more: Sketch = {}): Sketch => ({
  method: "POST",
  headers: { "content-type": type },
  body,
  ...more,
});
