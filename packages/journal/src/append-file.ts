import { close, constants, fdatasync, ftruncate, open, write } from "node:fs";
import { promisify } from "node:util";

const opened = promisify(open);
const closed = promisify(close);
const synced = promisify(fdatasync);
const truncated = promisify(ftruncate);
const written = promisify(write) as (
  fd: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  at: number,
) => Promise<{ bytesWritten: number }>;

const { O_CREAT, O_RDWR, O_TRUNC } = constants;
/** Each write is as durable as with an `fdatasync` after it, and costs one job of the thread pool instead of two; 0 where there is none. */
const durable = (constants as { O_DSYNC?: number }).O_DSYNC ?? 0;
const flagsFor = { "r+": O_RDWR | durable, "w+": O_RDWR | O_CREAT | O_TRUNC | durable } as const;

/** A file that is written at its end, off the main thread. */
export class AppendFile {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** @param flags `r+` for a file that is there, `w+` for a new one */
  static async open(path: string, flags: "r+" | "w+"): Promise<AppendFile> {
    return new AppendFile(await opened(path, flagsFor[flags], 0o600));
  }

  /** Writes all bytes at a position; they are durable when this resolves. */
  async append(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await written(this.#fd, bytes, done, bytes.length - done, position + done);
      if (bytesWritten === 0) throw Object.assign(new Error("nothing was written"), { code: "ENOSPC" });
      done += bytesWritten;
    }
    if (durable === 0) await this.sync();
  }

  /** Makes durable what others have written to the file, or an earlier process has. */
  async sync(): Promise<void> {
    await synced(this.#fd);
  }

  /** Cuts the file off, durably. */
  async truncate(bytes: number): Promise<void> {
    await truncated(this.#fd, bytes);
    await synced(this.#fd);
  }

  async close(): Promise<void> {
    await closed(this.#fd);
  }
}
