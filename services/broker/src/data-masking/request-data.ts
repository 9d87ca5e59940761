import type { Refusal } from "@sallyport/contracts";
import type { DataFormat, DataMasker } from "@sallyport/masking/detect";
import { blocked } from "../targets/blocked.ts";
import { contentTypeOf, type Operation } from "../targets/operation.ts";
import type { Place } from "../targets/placeholders/find.ts";
import { placeName } from "../targets/placeholders/misplaced.ts";
import { apparentFormat, declaredFormat, isWide } from "./data-format.ts";
import type { TargetData } from "./target-data.ts";

/**
 * The refusal of a request of which a part that the agent wrote holds data that its target's rules let not out, or cannot be looked
 * through; undefined where there is none. A body that comes in pieces is looked at as it goes.
 */
export function againstData(operation: Operation, target: TargetData | undefined): Refusal | undefined {
  if (target?.requests === undefined) return undefined;
  const { path, query, headers, body, upload } = operation;
  const contentType = contentTypeOf(headers);
  try {
    look(target, { in: "path" }, Buffer.from(decoded(path)), "text");
    if (query.length > 1) look(target, { in: "query", name: "" }, parameters(query.slice(1)), "json");
    for (const [name, value] of headers) look(target, { in: "header", name }, Buffer.from(value), "text");
    if (upload === undefined && body.length === 0) return undefined;
    if (isWide(contentType)) return unread(target, "is in UTF-16 or UTF-32; send it in UTF-8");
    if (upload !== undefined) return undefined;
    const isForm = contentType?.split(";")[0]?.trim().toLowerCase() === "application/x-www-form-urlencoded";
    if (isForm) look(target, { in: "body" }, parameters(Buffer.from(body).toString()), "json");
    else look(target, { in: "body" }, body, formatOf(body, contentType));
    return undefined;
  } catch (error) {
    return refusalOf(error, target, "none");
  }
}

/** The operation, whose upload, if it has one, is looked at as it goes. */
export function withoutData(operation: Operation, target: TargetData | undefined): Operation {
  const { upload } = operation;
  if (upload === undefined || target?.requests === undefined) return operation;
  return { ...operation, upload: { ...upload, pieces: looked(upload.pieces, target, contentTypeOf(operation.headers)) } };
}

async function* looked(pieces: AsyncIterable<Uint8Array>, target: TargetData, contentType: string | undefined): AsyncIterable<Uint8Array> {
  let masker: DataMasker | undefined;
  try {
    for await (const piece of pieces) {
      masker ??= maskerOf(target, formatOf(piece, contentType));
      const safe = masker.push(piece);
      if (safe.length > 0) yield safe;
    }
    const rest = masker?.end();
    if (rest !== undefined && rest.length > 0) yield rest;
  } catch (error) {
    throw refusalOf(error, target, "unknown");
  }
}

class Found extends Error {
  readonly place: Place;

  constructor(place: Place, cause: unknown) {
    super("data in a request", { cause });
    this.place = place;
  }
}

function look(target: TargetData, place: Place, bytes: Uint8Array, format: DataFormat): void {
  try {
    const masker = maskerOf(target, format, place.in !== "body");
    masker.push(bytes);
    masker.end();
  } catch (error) {
    throw new Found(place, error);
  }
}

function maskerOf(target: TargetData, format: DataFormat, passOther = target.passOther): DataMasker {
  const { requests, detect } = target;
  if (requests === undefined) throw new Error("there is nothing to look for");
  if (format === "text" && requests.fields.length > 0 && !passOther) throw new detect.DataUnreadable("It is no JSON.");
  return new detect.DataMasker(requests, { format, passOther });
}

function refusalOf(error: unknown, target: TargetData, effect: "none" | "unknown"): Refusal {
  const { DataRefused, DataUnreadable } = target.detect;
  const cause = error instanceof Found ? error.cause : error;
  const place: Place = error instanceof Found ? error.place : { in: "body" };
  if (cause instanceof DataUnreadable) return unread(target, "is no JSON, in which members are named by rules", effect);
  if (!(cause instanceof DataRefused)) throw cause;
  return blocked(
    `data-masking/${cause.category}`,
    target.name,
    `${placeName(place)} holds what looks like data of the category ${cause.category}, which does not go there; leave it out.`,
    effect,
  );
}

const unread = (target: TargetData, why: string, effect: "none" | "unknown" = "none") =>
  blocked("data-masking", target.name, `the body ${why}: its data cannot be looked at otherwise.`, effect);

function formatOf(body: Uint8Array, contentType: string | undefined): DataFormat {
  const format = declaredFormat(contentType) ?? apparentFormat(body);
  return format === "more" ? "text" : format;
}

/** A query or a form, as JSON: so that names count, and what is percent-encoded is read. */
const parameters = (text: string): Uint8Array =>
  Buffer.from(JSON.stringify([...new URLSearchParams(text)].map(([name, value]) => ({ [name]: value }))));

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
