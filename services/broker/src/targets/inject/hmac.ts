import { createHmac } from "node:crypto";
import type { Inject } from "@sallyport/service";
import type { Operation } from "../operation.ts";
import { type Fields, fieldOf, unusable } from "./field-text.ts";
import type { Injected } from "./injected.ts";
import { onceOnly } from "./sigv4.ts";

/** Milliseconds that receivers take a signed message for, as a rule five minutes, with room. */
const signatureLifeMs = 15 * 60_000;

/**
 * A signature over the request (HMAC, RFC 2104) in a header, as webhooks carry it.
 *
 * @param basePath of the target's base URL, without a slash at its end
 * @param now epoch milliseconds
 */
export function signHmac(
  operation: Operation,
  settings: NonNullable<Inject["hmac"]>,
  fields: Fields,
  basePath: string,
  now: number,
): Injected {
  const key = fieldOf(fields, settings.field);
  if (key.length === 0) throw unusable(settings.field, "is empty, so anybody could sign with it");
  const timestamp = String(settings.timestampUnit === "seconds" ? Math.floor(now / 1000) : now);
  const parts: Readonly<Record<string, string | Uint8Array>> = {
    timestamp,
    body: operation.body,
    bodyHash: operation.bodyHash,
    method: operation.method,
    path: `${basePath}${operation.sent}`,
  };
  const hash = createHmac(settings.algorithm, key);
  // In one pass, so that nothing in a body is taken for a part of the template.
  for (const piece of settings.template.split(/(\{[^{}]*\})/))
    hash.update(/^\{.*\}$/.test(piece) ? (parts[piece.slice(1, -1)] as string) : piece);
  const digest = hash.digest();
  const signature = digest.toString(settings.encoding);
  const value = settings.format.replaceAll(/\{(signature|timestamp)\}/g, (_, part) => (part === "signature" ? signature : timestamp));
  const own: [string, string][] = [[settings.header.toLowerCase(), value]];
  if (settings.timestampHeader !== undefined) own.push([settings.timestampHeader.toLowerCase(), timestamp]);
  return {
    sent: operation.sent,
    headers: [...operation.headers, ...own],
    body: operation.body,
    derived: onceOnly(digest, signature, now + signatureLifeMs),
  };
}
