import { Masker, type MaskSet, maskBytes } from "@sallyport/masking";
import { blocked } from "../blocked.ts";
import type { Operation } from "../operation.ts";
import { holdsPlaceholder, type Place, unescaped } from "../placeholders/find.ts";
import { placeName } from "../placeholders/misplaced.ts";

const rule = "secret-in-request";

/**
 * The request, of which no part that the agent wrote holds a value that was issued in its tree, in any encoding that the masker sees
 * through. An upload is looked through as it goes, and held back where it could be the beginning of one.
 *
 * @param secrets everything issued in the tree but account names, which an agent may say
 * @throws Refusal GUARDRAIL_BLOCKED
 */
export function withoutExports(operation: Operation, secrets: MaskSet): Operation {
  const { path, query, headers, body, target, upload } = operation;
  // One look at all of it; where something is found, another says where.
  const parts: [Place, Uint8Array][] = [
    [{ in: "path" }, Buffer.from(path)],
    [{ in: "query", name: "" }, Buffer.from(query)],
    ...headers.map(([name, value]): [Place, Uint8Array] => [{ in: "header", name }, Buffer.from(`${name}: ${value}`)]),
    [{ in: "body" }, body],
  ];
  const small = parts.slice(0, -1).flatMap(([, bytes]) => [bytes, between]);
  if (holdsAny(secrets, [Buffer.concat(small), body])) {
    for (const [place, bytes] of parts)
      if (holdsAny(secrets, [bytes]))
        throw exported(target, place, Buffer.from(maskBytes(secrets, bytes)).toString(), Buffer.from(bytes).toString());
  }
  if (upload === undefined) return operation;
  return { ...operation, upload: { ...upload, pieces: looked(upload.pieces, secrets, target) } };
}

/** Ends a value's partial match, so that none is put together from two parts. */
const between = Buffer.from(" | ");

/** After its end a masker is as new; making one costs more than a look at a request. */
const maskers = new WeakMap<MaskSet, Masker>();

function holdsAny(secrets: MaskSet, pieces: readonly Uint8Array[]): boolean {
  const masker = maskers.get(secrets) ?? new Masker(secrets);
  maskers.delete(secrets);
  const before = masker.count;
  for (const piece of pieces) masker.push(piece);
  masker.end();
  maskers.set(secrets, masker);
  return masker.count > before;
}

async function* looked(pieces: AsyncIterable<Uint8Array>, secrets: MaskSet, target: string): AsyncIterable<Uint8Array> {
  const masker = new Masker(secrets);
  let tail = "";
  for await (const piece of pieces) {
    const text = tail + Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString("latin1");
    if (holdsPlaceholder(text))
      throw blocked("placeholder", target, "the body holds a placeholder, and none is filled in where a body comes in pieces.", "unknown");
    tail = text.slice(-16);
    // What may be a value's beginning is held back, so that no part of one is on its way when it turns out to be.
    const safe = masker.push(piece);
    if (masker.count > 0) throw exported(target, { in: "body" }, "", "", "unknown");
    if (safe.length > 0) yield safe;
  }
  const rest = masker.end();
  if (masker.count > 0) throw exported(target, { in: "body" }, "", "", "unknown");
  if (rest.length > 0) yield rest;
}

function exported(target: string, place: Place, masked: string, sent: string, effect: "none" | "unknown" = "none") {
  const which = unescaped(masked)
    .match(/\[sallyport:[^\]\s]{1,300}\]/g)
    ?.find((placeholder) => !unescaped(sent).includes(placeholder));
  return blocked(
    rule,
    target,
    `${placeName(place)} holds ${which === undefined ? "a secret's value" : `the value of ${which}`}, which goes only where the target's configuration puts it; leave it out.`,
    effect,
  );
}
