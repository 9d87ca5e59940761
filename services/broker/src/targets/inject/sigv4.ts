import { parseParameters } from "@sallyport/guardrails";
import type { Inject } from "@sallyport/service";
import type { Operation } from "../operation.ts";
import { type Fields, fieldText, unusable } from "./field-text.ts";
import type { DerivedValue, Injected } from "./injected.ts";

/** What the signer writes itself; what the agent's own tool put there, signed with no key that is good for anything, is replaced. */
const replaced = new Set(["authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"]);
/** Milliseconds that AWS takes a signature for, at most. */
const signatureLifeMs = 15 * 60_000;
const printableAscii = /^[\x21-\x7e]+$/;

/** Why a request cannot be signed; a sentence's end. */
export function unsignable({ query, headers, bodyHash }: Pick<Operation, "query" | "headers" | "bodyHash">): string | undefined {
  if (bodyHash === "")
    return "signs a body by its hash, and this one's is not known beforehand; send at most 1 MiB, or declare the hash first";
  if (query.includes("+")) return 'signs what it sends, and a "+" in a query is read in two ways; write %20 or %2B';
  if (
    parseParameters(query.slice(1)).some(([name]) =>
      /^x-amz-(?:signature|credential|algorithm|date|expires|signedheaders|security-token)$/i.test(name),
    )
  )
    return "signs its requests itself; leave the signature out of the query (no presigned URL)";
  if (headers.some(([name]) => name === "x-amz-decoded-content-length" || name === "x-amz-trailer"))
    return "signs bodies whole, and this one comes in signed chunks; set AWS_REQUEST_CHECKSUM_CALCULATION=when_required";
  return undefined;
}

/**
 * AWS Signature Version 4 in the Authorization header, over the request exactly as it is sent, the body by its SHA-256.
 *
 * @param base the target's base URL
 * @param now epoch milliseconds
 */
export async function signV4(
  operation: Operation,
  settings: NonNullable<Inject["sigv4"]>,
  fields: Fields,
  base: URL,
  now: number,
): Promise<Injected> {
  const text = (field: string) => fieldText(fields, field, printableAscii, "an AWS credential");
  const { service, region } = settings;
  const [path = "", query] = splitOnce(operation.sent);
  // Loaded with the first signature: most targets want none.
  const [{ SignatureV4 }, { Sha256 }] = await Promise.all([import("@smithy/signature-v4"), import("@aws-crypto/sha256-js")]);
  const signer = new SignatureV4({
    service,
    region,
    credentials: {
      accessKeyId: text(settings.accessKeyId),
      secretAccessKey: text(settings.secretAccessKey),
      ...(settings.sessionToken === undefined ? {} : { sessionToken: text(settings.sessionToken) }),
    },
    sha256: Sha256,
    // S3 alone signs a path encoded once.
    uriEscapePath: service !== "s3",
  });
  const headers = operation.headers.filter(([name]) => !replaced.has(name));
  const signed = await signer.sign(
    {
      method: operation.method,
      protocol: base.protocol,
      hostname: base.hostname,
      path: `${base.pathname.replace(/\/$/, "")}${path}`,
      query: grouped(parseParameters(query)),
      headers: { ...Object.fromEntries(headers), host: base.host, "x-amz-content-sha256": operation.bodyHash },
    },
    { signingDate: new Date(now) },
  );
  const { host: _, ...own } = Object.fromEntries(Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const signature = /Signature=([0-9a-f]{64})$/.exec(own.authorization ?? "")?.[1];
  if (signature === undefined) throw unusable(settings.secretAccessKey, "could not be signed with");
  return {
    sent: operation.sent,
    headers: Object.entries(own),
    body: operation.body,
    derived: onceOnly(Buffer.from(signature, "hex"), signature, now + signatureLifeMs),
  };
}

/** A signature as its bytes and as its text: the first is found in any spelling of hex or base64, the second where its text was encoded again. */
export const onceOnly = (bytes: Uint8Array, text: string, goodUntil: number): DerivedValue[] =>
  [bytes, Buffer.from(text)].map((value) => ({ what: "signature", value, goodUntil, once: true }));

function splitOnce(sent: string): [string, string] {
  const at = sent.indexOf("?");
  return at < 0 ? [sent, ""] : [sent.slice(0, at), sent.slice(at + 1)];
}

function grouped(pairs: readonly [string, string][]): Record<string, string | string[]> {
  const all: Record<string, string[]> = Object.create(null);
  for (const [name, value] of pairs) {
    all[name] ??= [];
    all[name].push(value);
  }
  return Object.fromEntries(Object.entries(all).map(([name, values]) => [name, values.length === 1 ? (values[0] as string) : values]));
}
