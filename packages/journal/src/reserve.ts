import { closeSync, fstatSync, ftruncateSync, openSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";

/**
 * Room on the disk that nobody else can take: a file of zeros, given back piece by piece when the disk is full, so that the
 * outcome of an effect that has begun can still be written.
 */
export class Reserve {
  readonly #fd: number;
  readonly #wanted: number;
  #held: number;

  constructor(dir: string, bytes: number) {
    this.#fd = openSync(join(dir, "reserve"), "a", 0o600);
    this.#wanted = bytes;
    this.#held = Math.min(fstatSync(this.#fd).size, bytes);
    ftruncateSync(this.#fd, this.#held);
  }

  get whole(): boolean {
    return this.#held >= this.#wanted;
  }

  /** Gives room for so many bytes back to the file system; false when nothing is left to give. */
  release(bytes: number): boolean {
    if (this.#held === 0) return false;
    this.#held = Math.max(0, this.#held - Math.max(bytes, piece));
    ftruncateSync(this.#fd, this.#held);
    return true;
  }

  /** Takes back what was given; false where the disk has no room yet. */
  refill(): boolean {
    try {
      while (this.#held < this.#wanted) {
        const count = writeSync(this.#fd, zeros, 0, Math.min(zeros.length, this.#wanted - this.#held));
        this.#held += count;
      }
      return true;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#held = fstatSync(this.#fd).size;
      return false;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

const piece = 64 * 1024;
const zeros = Buffer.alloc(256 * 1024);

/** No room on the device, or for this user. */
export const isDiskFull = (error: unknown): boolean => ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");

/** Whether the file system of a folder has room for a batch; a user's quota is not seen here. */
export function hasRoom(dir: string): boolean {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize >= 1024 * 1024;
}
