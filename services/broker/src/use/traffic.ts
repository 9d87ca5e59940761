import type { Operation } from "../targets/operation.ts";

/** Bytes of a use's bodies, for its record: how many went to the target, and how many came back to the agent. */
export class Traffic {
  /** The operation, its upload counted as it is taken. */
  readonly operation: Operation;
  #uploaded = 0;
  #returned = 0;

  constructor(operation: Operation) {
    const { upload } = operation;
    this.operation = upload === undefined ? operation : { ...operation, upload: { ...upload, pieces: this.#counted(upload.pieces) } };
  }

  /** @param bytes what the agent is given of the answer's body, masked */
  returned(bytes: Uint8Array): void {
    this.#returned += bytes.length;
  }

  /** @param used whether anything of it went to the target */
  details(used: boolean): Record<string, number | boolean> {
    const { upload, body } = this.operation;
    const sent = upload === undefined ? body.length : this.#uploaded;
    return { used_at_target: used, request_bytes: used ? sent : 0, response_bytes: this.#returned };
  }

  async *#counted(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const piece of pieces) {
      this.#uploaded += piece.length;
      yield piece;
    }
  }
}
