import { close, fdatasync, ftruncate, open, write } from "node:fs";
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

/** A file that is written at its end, off the main thread. */
export class AppendFile {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** @param flags `r+` for a file that is there, `w+` for a new one */
  static async open(path: string, flags: "r+" | "w+"): Promise<AppendFile> {
    return new AppendFile(await opened(path, flags, 0o600));
  }

  /** Writes all bytes at a position and makes them durable. */
  async append(bytes: Uint8Array, position: number): Promise<void> {
    await this.write(bytes, position);
    await this.sync();
  }

  /** Writes all bytes at a position. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await written(this.#fd, bytes, done, bytes.length - done, position + done);
      if (bytesWritten === 0) throw Object.assign(new Error("nothing was written"), { code: "ENOSPC" });
      done += bytesWritten;
    }
  }

  /** Makes what was written durable. */
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
