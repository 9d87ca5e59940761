import { Refusal } from "@sallyport/contracts";
import type { Inject } from "@sallyport/service";
import type { Operation } from "../operation.ts";
import { type Fields, fieldOf, fieldText, fieldUtf8 } from "./field-text.ts";
import { basic, bearer, plain } from "./header.ts";
import type { Injected } from "./injected.ts";
import { withMember } from "./json-body.ts";
import { percentEncoded } from "./percent-encoded.ts";

/**
 * Puts the secret into the request, at the one place that the target's configuration names. That the agent's request leaves
 * the place free was looked at before (`takesPlace`).
 *
 * @throws Refusal STORE_UNAVAILABLE where the stored value is none that this place can carry: nothing was sent
 * @throws Refusal INVALID_REQUEST where a body has no place for it
 */
export function fill(operation: Operation, inject: Inject, fields: Fields): Injected {
  const { sent, headers, body } = operation;
  const as = (changed: Partial<Injected>): Injected => ({ sent, headers, body, derived: [], ...changed });
  const withHeader = (name: string, value: string) => as({ headers: [...headers, [name, value]] });
  if (inject.bearer !== undefined) return withHeader("authorization", bearer(inject.bearer, fields));
  if (inject.basic !== undefined) return withHeader("authorization", basic(inject.basic, fields));
  if (inject.header !== undefined) return withHeader(inject.header.name.toLowerCase(), plain(inject.header.field, fields));
  if (inject.query !== undefined) {
    const pair = `${percentEncoded(Buffer.from(inject.query.name))}=${percentEncoded(fieldOf(fields, inject.query.field))}`;
    return as({ sent: `${sent}${operation.query === "" ? "?" : operation.query === "?" || sent.endsWith("&") ? "" : "&"}${pair}` });
  }
  if (inject.cookie !== undefined) {
    // RFC 6265 §4.1.1, cookie-octet: nothing is escaped, so what does not fit is not sent.
    const value = fieldText(fields, inject.cookie.field, /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/, "a cookie");
    const others = headers.filter(([name]) => name === "cookie").map(([, cookies]) => cookies);
    const cookies = [...others, `${inject.cookie.name}=${value}`].join("; ");
    return as({ headers: [...headers.filter(([name]) => name !== "cookie"), ["cookie", cookies]] });
  }
  if (inject.form !== undefined) {
    const pair = `${percentEncoded(Buffer.from(inject.form.name))}=${percentEncoded(fieldOf(fields, inject.form.field))}`;
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    return as({ body: Buffer.concat([bytes, Buffer.from(bytes.length === 0 || bytes.at(-1) === 0x26 ? pair : `&${pair}`)]) });
  }
  if (inject.body !== undefined)
    return as({ body: withMember(body, inject.body.pointer, fieldUtf8(fields, inject.body.field, "a JSON body")) });
  // A kind that a newer configuration has: a request without its secret is not what was asked for.
  throw new Refusal("INTERNAL", "This broker does not know how this target takes its secret; nothing was sent.", {
    metadata: { effect: "none" },
  });
}
