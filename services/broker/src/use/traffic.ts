import { createHash, type Hash } from "node:crypto";
import { exactBytesOf, type Operation } from "../targets/operation.ts";

/** Bytes of a use's bodies, for its record: how many went to the target, and how many came back to the agent; and what data was found in these. */
export class Traffic {
  /** The operation, its upload counted as it is taken. */
  readonly operation: Operation;
  /** Findings of data-masking rules in the answer, by category. */
  data: ReadonlyMap<string, number> = new Map();
  /** Of an upload as far as it was taken, where no hash of it was known before that the statement's would cover. */
  readonly #hashing: { readonly body: Hash; readonly keyed: (bytes: Uint8Array) => string } | undefined;
  #uploaded = 0;
  #returned = 0;
  #messages = { out: 0, in: 0 };

  /** @param keyedHash of evidence, for what the statement's own could not cover yet */
  constructor(operation: Operation, keyedHash?: (bytes: Uint8Array) => string) {
    const { upload } = operation;
    const unknown = upload !== undefined && upload.sha256 === undefined;
    this.#hashing = unknown && keyedHash !== undefined ? { body: createHash("sha256"), keyed: keyedHash } : undefined;
    this.operation = upload === undefined ? operation : { ...operation, upload: { ...upload, pieces: this.#counted(upload.pieces) } };
  }

  /** @param bytes what the agent is given of the answer's body, masked */
  returned(bytes: Uint8Array): void {
    this.#returned += bytes.length;
  }

  /** One message of a WebSocket. @param bytes what goes on to the target */
  sentMessage(bytes: number): void {
    this.#messages.out++;
    this.#uploaded += bytes;
  }

  /** @param bytes what the agent is given of it, masked */
  returnedMessage(bytes: number): void {
    this.#messages.in++;
    this.#returned += bytes;
  }

  /** @param used whether anything of it went to the target */
  details(used: boolean): Record<string, string | number | boolean | readonly string[]> {
    const { upload, body, webSocket } = this.operation;
    const sent = upload === undefined && webSocket === undefined ? body.length : this.#uploaded;
    const messages = webSocket === undefined ? {} : { messages_out: this.#messages.out, messages_in: this.#messages.in };
    const found = this.data.size === 0 ? {} : { data_found: [...this.data].map(([category, count]) => `${category}=${count}`) };
    const hashing = used ? this.#hashing : undefined;
    const bound =
      hashing === undefined ? {} : { request_hash: hashing.keyed(exactBytesOf(this.operation, hashing.body.copy().digest("hex"))) };
    return { used_at_target: used, request_bytes: used ? sent : 0, ...bound, response_bytes: this.#returned, ...messages, ...found };
  }

  async *#counted(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const piece of pieces) {
      this.#uploaded += piece.length;
      this.#hashing?.body.update(piece);
      yield piece;
    }
  }
}
