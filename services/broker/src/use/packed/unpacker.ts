import type { Transform } from "node:stream";
import { isBomb } from "../response-body.ts";

/** One piece of packed content, unpacked as its bytes come. */
export class Unpacker {
  readonly #stream: Transform;
  readonly #each: (bytes: Buffer) => Promise<void>;
  #skip: number;
  #unpacked: Buffer[] = [];
  #received = 0;
  #written = 0;
  #failure: unknown;
  #done = false;

  /**
   * @param skip bytes to leave out before the packed ones
   * @param each is given what was unpacked
   */
  constructor(stream: Transform, skip: number, each: (bytes: Buffer) => Promise<void>) {
    this.#stream = stream;
    this.#skip = skip;
    this.#each = each;
    stream.on("data", (bytes: Buffer) => this.#unpacked.push(bytes));
    stream.on("end", () => {
      this.#done = true;
    });
    stream.on("error", (error) => {
      this.#failure = error;
    });
  }

  /** It came to its end, or was none. */
  get isDone(): boolean {
    return this.#done || this.#failure !== undefined;
  }

  get failure(): unknown {
    return this.#failure;
  }

  /** More came out than can be looked at. */
  get isBomb(): boolean {
    return isBomb(this.#received, this.#written);
  }

  async write(chunk: Uint8Array): Promise<void> {
    const bytes = chunk.subarray(Math.min(this.#skip, chunk.length));
    this.#skip -= chunk.length - bytes.length;
    if (bytes.length === 0 || this.isDone) return;
    this.#received += bytes.length;
    await this.#settled((done) => this.#stream.write(bytes, () => done()));
    await this.#drain();
  }

  async end(): Promise<void> {
    if (!this.isDone) await this.#settled(() => this.#stream.end());
    await this.#drain();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  /** Until what was begun is done, or the stream is: after its end it calls nobody back. */
  async #settled(begin: (done: () => void) => void): Promise<void> {
    const stream = this.#stream;
    await new Promise<void>((done) => {
      const settled = () => {
        for (const event of ["end", "error", "close"]) stream.off(event, settled);
        done();
      };
      for (const event of ["end", "error", "close"]) stream.on(event, settled);
      begin(settled);
    });
  }

  async #drain(): Promise<void> {
    for (const bytes of this.#unpacked.splice(0)) {
      this.#written += bytes.length;
      if (this.isBomb) return;
      await this.#each(bytes);
    }
  }
}
