import { Refusal } from "@sallyport/contracts";
import { Masker, type MaskSet } from "@sallyport/masking";
import { isSealed, MAGIC_BYTES, mayBeSealed, nextPacked, type Packed } from "./packings.ts";
import { Unpacker } from "./unpacker.ts";

/** Packed content inside packed content is unpacked so often. */
const maxDepth = 2;
/** Pieces of packed content that may be under way at a time: more than one only where one holds what looks like another. */
const maxOpen = 8;

interface Piece {
  readonly unpacker: Unpacker;
  readonly inside: Inside;
  /** It begins the bytes, so it is what they are; elsewhere they may but look like it. */
  readonly isAll: boolean;
  readonly lagBytes: number;
}

/** Looks for values in content that was unpacked, and for packed content in it and in a body as it is. */
export class Inside {
  readonly #masks: MaskSet;
  readonly #depth: number;
  readonly #masker: Masker | undefined;
  #pieces: Piece[] = [];
  /** The first bytes, while they may be those of a file that is not read here. */
  #begin: Buffer | undefined = Buffer.alloc(0);
  /** The last bytes: in them something may begin that is not told yet. The pieces under way have them. */
  #tail: Buffer = Buffer.alloc(0);
  #position = 0;

  /** `depth` 0 is a body as it is, in which values are masked and not looked for here. */
  constructor(masks: MaskSet, depth: number) {
    this.#masks = masks;
    this.#depth = depth;
    this.#masker = depth === 0 ? undefined : new Masker(masks);
  }

  /** No value may have begun in what was written so far. */
  get isClear(): boolean {
    const open = this.#pieces.every(({ unpacker, inside }) => unpacker.isDone || inside.isClear);
    return open && this.#begin === undefined && (this.#masker?.held ?? 0) === 0;
  }

  /** So many of the last bytes are not unpacked before more come. */
  get lagBytes(): number {
    return this.#pieces.reduce((most, { unpacker, lagBytes }) => Math.max(most, unpacker.isDone ? 0 : lagBytes), 0);
  }

  /** @throws Refusal RESPONSE_UNINSPECTABLE for a value, and for what cannot be read */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#begin !== undefined) {
      this.#begin = Buffer.concat([this.#begin, chunk]);
      if (isSealed(this.#begin)) throw unreadable();
      if (!mayBeSealed(this.#begin)) this.#begin = undefined;
    }
    if (this.#masker !== undefined) this.#assertNothing(this.#masker.push(chunk));
    await this.#look(chunk);
  }

  async end(): Promise<void> {
    for (const { unpacker, inside, isAll } of this.#pieces) {
      await unpacker.end();
      assertRead(unpacker, isAll);
      await inside.end();
    }
    if (this.#masker !== undefined) this.#assertNothing(this.#masker.end());
    this.#begin = undefined;
  }

  destroy(): void {
    for (const { unpacker, inside } of this.#pieces) {
      unpacker.destroy();
      inside.destroy();
    }
  }

  /** Hands the next bytes to the pieces under way, and opens those that begin in them. */
  async #look(chunk: Uint8Array): Promise<void> {
    const bytes = Buffer.concat([this.#tail, chunk]);
    const before = this.#position - this.#tail.length;
    let handed = this.#tail.length;
    let tail = Math.max(0, bytes.length - MAGIC_BYTES + 1);
    for (let packed = nextPacked(bytes, 0); packed !== undefined; packed = nextPacked(bytes, packed.at + 1)) {
      const { at, isTold } = packed;
      if (!isTold) {
        tail = at;
        break;
      }
      await this.#hand(bytes.subarray(handed, Math.max(handed, at)));
      handed = Math.max(handed, at);
      const piece = this.#open(packed, before + at === 0);
      await piece.unpacker.write(bytes.subarray(at, handed));
    }
    await this.#hand(bytes.subarray(handed));
    this.#tail = Buffer.from(bytes.subarray(tail));
    this.#position += chunk.length;
  }

  async #hand(bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return;
    for (const piece of [...this.#pieces]) {
      const { unpacker, inside, isAll } = piece;
      await unpacker.write(bytes);
      assertRead(unpacker, isAll);
      if (!unpacker.isDone) continue;
      if (unpacker.failure === undefined) await inside.end();
      inside.destroy();
      unpacker.destroy();
      this.#pieces.splice(this.#pieces.indexOf(piece), 1);
    }
  }

  #open({ header, open, lagBytes }: Packed, isAll: boolean): Piece {
    if (open === undefined || this.#depth >= maxDepth || this.#pieces.length >= maxOpen) throw unreadable();
    const inside = new Inside(this.#masks, this.#depth + 1);
    const piece = { unpacker: new Unpacker(open(), header, (bytes) => inside.write(bytes)), inside, isAll, lagBytes };
    this.#pieces.push(piece);
    return piece;
  }

  #assertNothing(_passed: Uint8Array): void {
    if ((this.#masker?.count ?? 0) === 0) return;
    throw new Refusal(
      "RESPONSE_UNINSPECTABLE",
      "The target's answer is a packed file with a secret's value in it, where it cannot be masked; it was cut off. The effect has happened.",
    );
  }
}

function assertRead(unpacker: Unpacker, isAll: boolean): void {
  if (unpacker.isBomb || (isAll && unpacker.failure !== undefined)) throw unreadable(unpacker.failure);
}

export const unreadable = (cause?: unknown) =>
  new Refusal(
    "RESPONSE_UNINSPECTABLE",
    "The target's answer is a packed or encrypted file that the broker cannot read to its end; it cannot be inspected, so it was cut off. The effect has happened.",
    cause === undefined ? {} : { cause },
  );
