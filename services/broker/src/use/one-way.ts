import type { MaskSet } from "@sallyport/masking";
import type { RawData, WebSocket } from "ws";
import { MessageLook } from "./message-look.ts";

/** Milliseconds that messages wait for whether a value goes on in the next one. */
const undecidedMs = 2_000;
/** Milliseconds after which others get their turn. */
const turnMs = 10;
/** Bytes that wait at most: messages, or what the other side has not taken yet. */
const maxWaitingBytes = 4 * 1024 * 1024;

interface Message {
  readonly bytes: Uint8Array;
  readonly binary: boolean;
}

export interface OneWayParts {
  readonly from: WebSocket;
  readonly to: WebSocket;
  readonly values: MaskSet;
  /** Looks at a message before it is passed, and throws where it may not be. */
  judge(message: Uint8Array, found: number): void;
  /** A value is completed that began in a message before, of which a part may have been passed. */
  completed(): Error;
  passed(bytes: number): void;
  failed(error: unknown): void;
}

/**
 * The messages of one direction. A message that ends in what may be a value's beginning waits for the next one, and those behind it
 * wait too, but for two seconds at most: a conversation may hang on it. Where a value is completed all the same, nothing more passes.
 */
export class OneWay {
  readonly #parts: OneWayParts;
  readonly #look: MessageLook;
  #waiting: Message[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #over = false;
  #arrived: Message[] = [];
  #taking = false;

  constructor(parts: OneWayParts) {
    this.#parts = parts;
    this.#look = new MessageLook(parts.values);
    parts.from.on("message", (data: RawData, binary: boolean) => {
      if (this.#over) return;
      this.#arrived.push({ bytes: bytesOf(data), binary });
      if (!this.#taking) this.#takeTurn();
    });
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#waiting = [];
    this.#arrived = [];
  }

  /** What a close says, once nothing follows any more; what waited is passed before it. */
  closing(reason: string): string {
    this.#takeUntil(Number.POSITIVE_INFINITY);
    if (this.#over) return "";
    const { completes } = this.#look.look(Buffer.from(reason));
    if (!completes) this.#pass();
    const masked = completes ? "" : this.#look.mask(reason);
    this.stop();
    return masked;
  }

  /** Others get their turn in between, however many messages have arrived. */
  #takeTurn(): void {
    this.#taking = !this.#takeUntil(performance.now() + turnMs);
    if (!this.#taking) return this.#resume();
    this.#parts.from.pause();
    setImmediate(() => this.#takeTurn());
  }

  /** @returns whether all were taken */
  #takeUntil(time: number): boolean {
    try {
      for (let next = this.#arrived.shift(); next !== undefined; next = this.#arrived.shift()) {
        this.#take(next.bytes, next.binary);
        if (performance.now() > time) return this.#arrived.length === 0;
      }
    } catch (error) {
      this.stop();
      this.#parts.failed(error);
    }
    return true;
  }

  #resume(): void {
    const { from, to } = this.#parts;
    if (from.isPaused && !this.#taking && to.bufferedAmount < maxWaitingBytes) from.resume();
  }

  #take(message: Uint8Array, binary: boolean): void {
    const { masked, found, undecided, completes } = this.#look.look(message);
    this.#parts.judge(message, found);
    if (completes) throw this.#parts.completed();
    this.#waiting.push({ bytes: masked, binary });
    this.#waitingBytes += masked.length;
    if (!undecided || this.#waitingBytes > maxWaitingBytes) this.#pass();
    else this.#timer ??= setTimeout(() => this.#pass(), undecidedMs).unref();
  }

  #pass(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { from, to, passed } = this.#parts;
    for (const { bytes, binary } of this.#waiting) {
      passed(bytes.length);
      // A text whose bytes are masked is a text still: placeholders are ASCII.
      to.send(bytes, { binary }, () => this.#resume());
    }
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (to.bufferedAmount >= maxWaitingBytes) from.pause();
  }
}

const bytesOf = (data: RawData): Uint8Array =>
  Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data);
