import { Masker, type MaskSet, maskText } from "@sallyport/masking";
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
  const look = (place: Place, text: string) => {
    const masked = maskText(secrets, text);
    if (masked !== text) throw exported(target, place, masked, text);
  };
  look({ in: "path" }, path);
  look({ in: "query", name: "" }, query);
  for (const [name, value] of headers) look({ in: "header", name }, `${name}: ${value}`);
  if (body.length > 0) {
    const masker = new Masker(secrets);
    const masked = Buffer.concat([masker.push(body), masker.end()]);
    if (masker.count > 0) throw exported(target, { in: "body" }, masked.toString("utf8"), Buffer.from(body).toString("utf8"));
  }
  if (upload === undefined) return operation;
  return { ...operation, upload: { ...upload, pieces: looked(upload.pieces, secrets, target) } };
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
