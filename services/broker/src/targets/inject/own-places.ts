import { printable, Refusal } from "@sallyport/contracts";
import { contentOf, hasParameter, isForm, isJson, Uninspectable } from "@sallyport/guardrails";
import type { Inject } from "@sallyport/service";
import type { Operation } from "../operation.ts";
import { withMember } from "./json-body.ts";
import { unsignable } from "./sigv4.ts";

/** The headers that the target's configuration fills, lower case. */
export function ownHeaders(inject: Inject): string[] {
  if (inject.header !== undefined) return [inject.header.name.toLowerCase()];
  if (inject.hmac !== undefined) return [inject.hmac.header, inject.hmac.timestampHeader ?? []].flat().map((name) => name.toLowerCase());
  const authorizes = ["bearer", "basic", "sigv4", "oauth", "githubApp"] as const;
  return authorizes.some((kind) => inject[kind] !== undefined) ? ["authorization"] : [];
}

/**
 * Why the agent's own request takes a place that the target's configuration fills, so that nobody could know which value counts; or
 * leaves no place for it. Undefined where it fits.
 */
export function takesPlace(operation: Operation, inject: Inject): string | undefined {
  const { headers, query, body, bodyHash, upload } = operation;
  try {
    const own = ownHeaders(inject).find((name) => headers.some(([other]) => other.replaceAll("_", "-") === name.replaceAll("_", "-")));
    if (own !== undefined) return `gets the header ${own} from its configuration; leave it out`;
    if (inject.query !== undefined && hasParameter(query.slice(1), inject.query.name))
      return `gets the query parameter ${printable(inject.query.name)} from its configuration; leave it out`;
    if (inject.cookie !== undefined && cookieNames(headers).some((name) => name.toLowerCase() === inject.cookie.name.toLowerCase()))
      return `gets the cookie ${inject.cookie.name} from its configuration; leave it out`;
    if (inject.form !== undefined) {
      if (upload !== undefined) return "gets a form field from its configuration, so its body must be inline (at most 1 MiB)";
      if (!isForm(contentTypeOf(headers) ?? "")) return "takes a URL-encoded form only: set content-type application/x-www-form-urlencoded";
      if (hasParameter(Buffer.from(body).toString("latin1"), inject.form.name))
        return `gets the form field ${printable(inject.form.name)} from its configuration; leave it out`;
    }
    if (inject.body !== undefined) {
      if (upload !== undefined) return "gets a member of its JSON body from its configuration, so the body must be inline (at most 1 MiB)";
      if (!isJson(contentTypeOf(headers) ?? "")) return "takes a JSON body only: set content-type application/json";
      withMember(body, inject.body.pointer, "");
    }
    if (inject.sigv4 !== undefined) return unsignable(operation);
    if (inject.hmac !== undefined && upload !== undefined && (bodyHash === "" || inject.hmac.template.includes("{body}")))
      return "signs the body that it gets, so that must be inline (at most 1 MiB)";
    return undefined;
  } catch (error) {
    if (error instanceof Uninspectable) return `cannot take this: the request ${error.message}`;
    if (error instanceof Refusal) return `cannot take this. ${error.message.replace(/\.$/, "")}`;
    throw error;
  }
}

function contentTypeOf(headers: Operation["headers"]): string | undefined {
  const header = headers.find(([name]) => name === "content-type")?.[1];
  return header === undefined ? undefined : contentOf(header).type;
}

/** RFC 6265 §4.2.1. */
const cookieNames = (headers: Operation["headers"]): string[] =>
  headers
    .filter(([name]) => name === "cookie")
    .flatMap(([, value]) => value.split(";"))
    .map((pair) => (pair.split("=")[0] as string).trim());
