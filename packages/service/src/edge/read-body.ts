import type { IncomingMessage } from "node:http";
import { Refusal } from "@sallyport/contracts";
import { cancelled } from "../failure.ts";
import { maxMessageBytes } from "../grpc/limits.ts";

/** A message, its envelope of 5 bytes, and nothing to spare. */
const maxBodyBytes = maxMessageBytes + 5;

const tooLarge = () => new Refusal("TOO_LARGE", "The body is larger than 4 MiB; send a longer one as a stream over gRPC.");

/**
 * A request's whole body.
 *
 * @throws Refusal TOO_LARGE beyond 4 MiB, as soon as that is known; INVALID_REQUEST where it is compressed: what would be
 * hashed and what would be read could differ
 */
export async function readBody(request: IncomingMessage, headers: ReadonlyMap<string, string>): Promise<Buffer> {
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding !== "identity") throw new Refusal("INVALID_REQUEST", "The body is compressed; send it plain, without content-encoding.");
  if (Number(headers.get("content-length") ?? 0) > maxBodyBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // Leaving the loop must not end the connection: the answer is still to go over it.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBodyBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof Refusal ? error : cancelled();
  }
  return Buffer.concat(chunks, length);
}

const drainedBytes = 16 * 1024 * 1024;
const drainedMs = 2_000;

/**
 * Reads over the rest of a body that was refused, within bounds, so that the answer arrives: a connection that is closed with bytes
 * unread is reset, and a reset may overtake what was answered (RFC 9112 §9.6).
 */
export function drain(request: IncomingMessage): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (request.complete || request.destroyed) return Promise.resolve();
  let length = 0;
  const timer = setTimeout(resolve, drainedMs);
  request.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length > drainedBytes) resolve();
  });
  for (const event of ["end", "close", "error"]) request.on(event, () => resolve());
  return promise.finally(() => {
    clearTimeout(timer);
    request.pause();
  });
}
