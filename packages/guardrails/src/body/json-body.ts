import { assertUtf8, contentOf, isJson } from "../content.ts";
import { strictJson, type ValueNode } from "../json/strict-json.ts";
import { Uninspectable } from "../uninspectable.ts";
import { bodyOf, hasBody, headerOf, type JudgedRequest } from "./judged-request.ts";

/** A body of JSON; undefined where there is none. @throws Uninspectable */
export function jsonBody(request: JudgedRequest): { root: ValueNode; text: string } | undefined {
  if (!hasBody(request)) return undefined;
  const bytes = bodyOf(request);
  const content = contentOf(headerOf(request, "content-type"));
  if (!isJson(content.type)) throw new Uninspectable("has a body that does not say it is JSON");
  assertUtf8(content);
  return strictJson(bytes);
}
