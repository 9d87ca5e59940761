import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "@sallyport/contracts";
import { maxInlineBytes } from "../rpc/parse-use.ts";
import type { Upload } from "../targets/operation.ts";
import { decodedBody } from "../use/response-body.ts";
import type { Place } from "./places.ts";
import type { ToolRequest } from "./tool-request.ts";

/** Milliseconds between two pieces of a body after which its sender is taken for gone. */
const idleMs = 15_000;

/** A request's body: whole where it is small, else in pieces whose hash is known at their end only. */
export type ToolBody = { readonly inline: Uint8Array } | { readonly upload: Upload };

/**
 * Reads a body as far as it is inline in `Use`. What comes packed is unpacked first: what is judged is what is sent.
 *
 * @param maxBytes of the target; more is refused as soon as it is known
 * @param place of the request: has the bytes that are kept here, until it is disposed of, or they were yielded
 * @throws Refusal INVALID_REQUEST, TOO_LARGE, RATE_LIMITED
 */
export async function bodyOf(
  request: ToolRequest,
  contentEncoding: string | undefined,
  maxBytes: number,
  place: Pick<Place, "keep" | "letGo">,
): Promise<ToolBody> {
  if (!request.hasBody) return { inline: new Uint8Array() };
  if (request.declaredLength !== undefined && request.declaredLength > maxBytes) throw tooLarge(maxBytes);
  request.wantBody();
  const pieces = unpacked(timed(request.body), contentEncoding)[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let length = 0;
  try {
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
      place.keep(next.value.length);
      held.push(next.value);
      length += next.value.length;
      if (length > maxInlineBytes) {
        const size = contentEncoding === undefined ? request.declaredLength : undefined;
        return { upload: { size, sha256: undefined, pieces: bounded(held, pieces, maxBytes, place) } };
      }
    }
  } catch (error) {
    await pieces.return?.();
    throw error;
  }
  return { inline: Buffer.concat(held) };
}

async function* bounded(
  held: Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
  maxBytes: number,
  place: Pick<Place, "letGo">,
): AsyncIterable<Uint8Array> {
  let length = 0;
  try {
    for (let piece = held.shift(); piece !== undefined; piece = held.shift()) {
      length += piece.length;
      yield piece;
      place.letGo(piece.length);
    }
    for (let next = await rest.next(); !next.done; next = await rest.next()) {
      length += next.value.length;
      if (length > maxBytes) throw tooLarge(maxBytes);
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}

async function* timed(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const pieces = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const waiting = new AbortController();
      const late = sleep(idleMs, "late" as const, { signal: waiting.signal, ref: false }).catch(() => "late" as const);
      const next = await Promise.race([pieces.next(), late]).finally(() => waiting.abort());
      if (next === "late")
        throw new Refusal("CANCELLED", `The request's body stopped for ${idleMs / 1000} s before its end; it was given up.`);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Not awaited: a body that stands still does not end by being told to.
    void pieces.return?.();
  }
}

function unpacked(body: AsyncIterable<Uint8Array>, contentEncoding: string | undefined): AsyncIterable<Uint8Array> {
  return contentEncoding === undefined ? body : asRequest(decodedBody(body, contentEncoding));
}

/** The same bounds as for answers, in the words of a request. */
async function* asRequest(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    if (!(error instanceof Refusal) || error.reason !== "RESPONSE_UNINSPECTABLE") throw error;
    throw new Refusal(
      "INVALID_REQUEST",
      "The request's body is not in the content-encoding that it declares, in none that is known, or unpacks to far more than it weighs; send it plain.",
      { cause: error },
    );
  }
}

const tooLarge = (maxBytes: number) =>
  new Refusal("TOO_LARGE", `This target takes bodies of at most ${maxBytes} bytes; this one is longer.`, { metadata: { effect: "none" } });
