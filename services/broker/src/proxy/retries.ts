import { createHash } from "node:crypto";
import type { Operation } from "../targets/operation.ts";

const maxRemembered = 10_000;

/**
 * Which access request waits for which call of a session. A tool knows nothing of access requests: it, or whoever runs it, sends
 * the same call again once people have approved, and that call finds its approval here. It is still looked up, matched by
 * digest and spent as any other.
 */
export class Retries {
  readonly #waiting = new Map<string, string>();

  find(sid: string, operation: Operation): string {
    return this.#waiting.get(key(sid, operation)) ?? "";
  }

  remember(sid: string, operation: Operation, accessRequestId: string): void {
    this.#waiting.delete(key(sid, operation));
    this.#waiting.set(key(sid, operation), accessRequestId);
    const oldest = this.#waiting.keys().next().value;
    if (this.#waiting.size > maxRemembered && oldest !== undefined) this.#waiting.delete(oldest);
  }

  forget(sid: string, operation: Operation): void {
    this.#waiting.delete(key(sid, operation));
  }
}

const key = (sid: string, operation: Operation) => createHash("sha256").update(`${sid}\n`).update(operation.exactBytes).digest("base64url");
