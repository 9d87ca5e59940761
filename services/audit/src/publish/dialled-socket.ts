import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/**
 * A socket that is still being dialled. kafkajs wants one at once, and the guarded dialler first resolves and judges; what
 * is written meanwhile waits.
 */
export class DialledSocket extends Duplex {
  readonly #dialled: Promise<Socket>;
  readonly #dialling = new AbortController();
  #socket: Socket | undefined;

  /** @param onConnect called once it stands */
  constructor(dial: (signal: AbortSignal) => Promise<Socket>, onConnect: () => void) {
    super({ allowHalfOpen: false });
    this.#dialled = dial(this.#dialling.signal);
    this.#dialled.then(
      (socket) => {
        if (this.destroyed) return void socket.destroy();
        this.#socket = socket;
        socket.setKeepAlive(true, 60_000);
        socket.on("data", (piece: Buffer) => {
          if (!this.push(piece)) socket.pause();
        });
        socket.on("end", () => this.push(null));
        socket.on("error", (error) => this.destroy(error));
        socket.on("close", () => this.destroy());
        onConnect();
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(piece: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#dialled.then((socket) => socket.write(piece, done), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket?.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#dialling.abort();
    this.#socket?.destroy();
    done(error);
  }

  /** As of a socket. */
  unref(): this {
    this.#socket?.unref();
    return this;
  }
}
