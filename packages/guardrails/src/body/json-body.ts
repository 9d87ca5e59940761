import { assertUtf8, contentOf, isJson } from "../content.ts";
import { strictJson } from "../json/strict-json.ts";
import { Uninspectable } from "../uninspectable.ts";
import { bodyOf, hasBody, headerOf, type JudgedRequest } from "./judged-request.ts";

type Parsed = ReturnType<typeof strictJson>;

/** What a request's rules read of it, once for all of them. */
const parsed = new WeakMap<JudgedRequest, Parsed>();

/** A body of JSON; undefined where there is none. @throws Uninspectable */
export function jsonBody(request: JudgedRequest): Parsed | undefined {
  if (!hasBody(request)) return undefined;
  const before = parsed.get(request);
  if (before !== undefined) return before;
  const bytes = bodyOf(request);
  const content = contentOf(headerOf(request, "content-type"));
  if (!isJson(content.type)) throw new Uninspectable("has a body that does not say it is JSON");
  assertUtf8(content);
  const body = strictJson(bytes);
  parsed.set(request, body);
  return body;
}
