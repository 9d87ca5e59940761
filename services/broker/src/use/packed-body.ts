import { once } from "node:events";
import type { Transform } from "node:stream";
import zlib from "node:zlib";
import { Refusal } from "@sallyport/contracts";
import { Masker, type MaskSet } from "@sallyport/masking";

/** Packed content inside packed content is unpacked so often. */
const maxDepth = 2;
/** What unpacks to more than this, and to more than {@link maxRatio} times its size, is taken for a bomb. */
const bombFloorBytes = 16 * 1024 * 1024;
const maxRatio = 200;
/** Bytes that may wait for what a value's beginning inside them turns out to be. */
const maxWaitingBytes = 4 * 1024 * 1024;

/**
 * A body that is itself a gzip or zstd file (a download, not a content coding): its bytes pass unchanged, since masking would break them, but
 * it is unpacked beside, and refused when there is a value in it. Content packed or encrypted in a way that the broker knows but cannot
 * read is refused; any other passes on to the masker.
 *
 * @throws Refusal RESPONSE_UNINSPECTABLE
 */
export async function* inspectedBody(body: AsyncIterable<Uint8Array>, masks: MaskSet): AsyncGenerator<Uint8Array> {
  const inside = new Inside(masks, 0);
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  try {
    for await (const chunk of body) {
      await inside.write(chunk);
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (inside.isClear) {
        yield* waiting;
        waiting = [];
        waitingBytes = 0;
      } else if (waitingBytes > maxWaitingBytes) throw unreadable();
    }
    await inside.end();
    yield* waiting;
  } finally {
    inside.destroy();
  }
}

/** What is looked at inside a body. */
class Inside {
  readonly #masks: MaskSet;
  readonly #depth: number;
  #begin: Buffer | undefined = Buffer.alloc(0);
  #masker: Masker | undefined;
  #unpacker: Transform | undefined;
  #inner: Inside | undefined;
  #failure: unknown;
  #unpacked: Buffer[] = [];
  #received = 0;
  #written = 0;

  constructor(masks: MaskSet, depth: number) {
    this.#masks = masks;
    this.#depth = depth;
  }

  /** No value may have begun in what was written so far. */
  get isClear(): boolean {
    return this.#begin === undefined && (this.#masker?.held ?? 0) === 0 && (this.#inner?.isClear ?? true);
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#begin !== undefined) {
      this.#begin = Buffer.concat([this.#begin, chunk]);
      // A heartbeat of one byte is not held back for what cannot come of it.
      if (!isUndecided(this.#begin)) await this.#open();
    } else await this.#take(chunk);
  }

  async end(): Promise<void> {
    if (this.#begin !== undefined) await this.#open();
    if (this.#unpacker !== undefined) {
      const ended = once(this.#unpacker, "end").catch((error: unknown) => {
        this.#failure = error;
      });
      this.#unpacker.end();
      await ended;
      await this.#drain();
      await this.#inner?.end();
    }
    if (this.#masker !== undefined) this.#assertNothing(this.#masker.end());
  }

  destroy(): void {
    this.#unpacker?.destroy();
    this.#inner?.destroy();
  }

  async #open(): Promise<void> {
    const begin = this.#begin as Buffer;
    this.#begin = undefined;
    if (sealed.some((magic) => begin.subarray(0, magic.length).equals(magic))) throw unreadable();
    const packed = packings.find(({ magic }) => begin.subarray(0, magic.length).equals(magic));
    if (packed !== undefined) {
      if (this.#depth >= maxDepth) throw unreadable();
      this.#unpacker = packed.open();
      this.#unpacker.on("data", (bytes: Buffer) => this.#unpacked.push(bytes));
      this.#unpacker.on("error", (error) => {
        this.#failure = error;
      });
      this.#inner = new Inside(this.#masks, this.#depth + 1);
    } else if (this.#depth > 0) this.#masker = new Masker(this.#masks);
    await this.#take(begin);
  }

  async #take(chunk: Uint8Array): Promise<void> {
    if (this.#masker !== undefined) this.#assertNothing(this.#masker.push(chunk));
    if (this.#unpacker === undefined) return;
    this.#received += chunk.length;
    const unpacker = this.#unpacker;
    await new Promise<void>((done) => {
      const end = () => done();
      unpacker.once("error", end);
      unpacker.write(chunk, () => {
        unpacker.off("error", end);
        done();
      });
    });
    await this.#drain();
  }

  async #drain(): Promise<void> {
    if (this.#failure !== undefined) throw unreadable(this.#failure);
    for (const bytes of this.#unpacked.splice(0)) {
      this.#written += bytes.length;
      if (this.#written > bombFloorBytes && this.#written > this.#received * maxRatio) throw unreadable();
      await this.#inner?.write(bytes);
    }
  }

  #assertNothing(_passed: Uint8Array): void {
    if ((this.#masker?.count ?? 0) === 0) return;
    throw new Refusal(
      "RESPONSE_UNINSPECTABLE",
      "The target's answer is a packed file with a secret's value in it, where it cannot be masked; it was cut off. The effect has happened.",
    );
  }
}

const packings: readonly { readonly magic: Buffer; open(): Transform }[] = [
  { magic: Buffer.from([0x1f, 0x8b, 0x08]), open: () => zlib.createGunzip() },
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), open: () => zlib.createZstdDecompress() },
];

/** Files that are packed or encrypted in a way that is not read here: xz, bzip2, 7-Zip, LZ4, age. */
const sealed: readonly Buffer[] = [
  Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
  Buffer.from([0x42, 0x5a, 0x68, 0x39, 0x31, 0x41]),
  Buffer.from([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]),
  Buffer.from([0x04, 0x22, 0x4d, 0x18]),
  Buffer.from("age-en"),
];

/** Whether more bytes could make it one of them. */
const isUndecided = (begin: Buffer) =>
  [...sealed, ...packings.map(({ magic }) => magic)].some(
    (magic) => begin.length < magic.length && magic.subarray(0, begin.length).equals(begin),
  );

const unreadable = (cause?: unknown) =>
  new Refusal(
    "RESPONSE_UNINSPECTABLE",
    "The target's answer is a packed or encrypted file that the broker cannot read to its end; it cannot be inspected, so it was cut off. The effect has happened.",
    cause === undefined ? {} : { cause },
  );
