import { assertUtf8, contentOf, isForm } from "../content.ts";
import { utf8 } from "../json/strict-json.ts";
import { parseParameters } from "../parameters.ts";
import { Uninspectable } from "../uninspectable.ts";
import { bodyOf, hasBody, headerOf, type JudgedRequest } from "./judged-request.ts";

/** A URL-encoded form; undefined where there is no body. @throws Uninspectable */
export function formBody(request: JudgedRequest): [string, string][] | undefined {
  if (!hasBody(request)) return undefined;
  const bytes = bodyOf(request);
  const content = contentOf(headerOf(request, "content-type"));
  if (!isForm(content.type)) throw new Uninspectable("has a body that does not say it is a URL-encoded form");
  assertUtf8(content);
  const text = utf8(bytes);
  if (text.includes(";")) throw new Uninspectable('has a form with a ";", which parts fields for some readers; write %3B');
  return parseParameters(text);
}
