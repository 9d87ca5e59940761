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
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBodyBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof Refusal ? error : cancelled();
  }
  return Buffer.concat(chunks, length);
}
