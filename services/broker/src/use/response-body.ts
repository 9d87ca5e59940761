import { Readable, Transform, type TransformCallback } from "node:stream";
import zlib from "node:zlib";
import { Refusal } from "@sallyport/contracts";

/** What unpacks to more than this, and to more than {@link maxRatio} times its size, is taken for a bomb. */
const bombFloorBytes = 16 * 1024 * 1024;
const maxRatio = 200;
export const isBomb = (receivedBytes: number, unpackedBytes: number): boolean =>
  unpackedBytes > bombFloorBytes && unpackedBytes > receivedBytes * maxRatio;

/** Encodings stacked deeper than this are refused (RFC 9110 §8.4 allows any number). */
const maxEncodings = 2;

/**
 * The target's body as plain bytes, so that it can be masked. What cannot be unpacked is refused, never passed: an
 * unknown coding, a wrong label, a truncated or oversized one.
 *
 * @param contentEncoding the header's value; codings in the order in which they were applied
 */
export function decodedBody(body: AsyncIterable<Uint8Array>, contentEncoding: string | undefined): AsyncIterable<Uint8Array> {
  const codings = codingsOf(contentEncoding);
  return codings.length === 0 ? body : unpackedBody(body, codings);
}

async function* unpackedBody(body: AsyncIterable<Uint8Array>, codings: readonly string[]): AsyncIterable<Uint8Array> {
  if (codings.length > maxEncodings) {
    throw new Refusal(
      "RESPONSE_UNINSPECTABLE",
      "The target's answer is packed more than twice over; it cannot be masked, so it was not passed on.",
    );
  }
  let received = 0;
  let unpacked = 0;
  const counted = Readable.from(
    count(body, (bytes) => (received += bytes)),
    { objectMode: false },
  );
  let stream: Readable = counted;
  for (const coding of codings.toReversed()) stream = pipe(stream, decoderFor(coding));
  try {
    for await (const chunk of stream) {
      unpacked += (chunk as Buffer).length;
      if (isBomb(received, unpacked)) {
        throw new Refusal(
          "RESPONSE_UNINSPECTABLE",
          "The target's answer unpacks to far more than it weighs; it was cut off. The effect has happened.",
        );
      }
      yield chunk as Buffer;
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(
      "RESPONSE_UNINSPECTABLE",
      "The target's answer is not in the encoding that it declares, or broke off; it cannot be masked, so it was not passed on. The effect has happened.",
      {
        cause: error,
      },
    );
  } finally {
    stream.destroy();
    counted.destroy();
  }
}

const codingsOf = (contentEncoding = ""): string[] =>
  contentEncoding
    .split(",")
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== "" && coding !== "identity");

function decoderFor(coding: string): Transform {
  switch (coding) {
    case "gzip":
    case "x-gzip":
      return zlib.createGunzip();
    case "deflate":
      // RFC 9110 §8.4.1.2 asks for zlib's wrapping; not every server knows. Whatever comes first tells which it is.
      return new Inflate();
    case "br":
      return zlib.createBrotliDecompress();
    case "zstd":
      return zlib.createZstdDecompress();
    default:
      throw new Refusal(
        "RESPONSE_UNINSPECTABLE",
        "The target's answer is in an encoding that the broker cannot read; it cannot be masked, so it was not passed on.",
      );
  }
}

function pipe(from: Readable, to: Transform): Transform {
  from.on("error", (error) => to.destroy(error));
  return from.pipe(to);
}

async function* count(body: AsyncIterable<Uint8Array>, add: (bytes: number) => void): AsyncIterable<Uint8Array> {
  for await (const chunk of body) {
    add(chunk.length);
    yield chunk;
  }
}

/** Reads deflate with zlib's wrapping and without. */
class Inflate extends Transform {
  #inner: Transform | undefined;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#inner === undefined) {
      // RFC 1950 §2.2: method 8 in the low bits. In raw deflate these are a last block's flag and a stored or dynamic type: never 8.
      this.#inner = ((chunk[0] ?? 0) & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw();
      this.#inner.on("data", (bytes: Buffer) => this.push(bytes));
      this.#inner.on("error", (error) => this.destroy(error));
    }
    this.#inner.write(chunk, () => done());
  }

  override _flush(done: TransformCallback): void {
    if (this.#inner === undefined) return done();
    this.#inner.on("end", () => done());
    this.#inner.end();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#inner?.destroy();
    done(error);
  }
}
