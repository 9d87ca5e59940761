import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import type { Client, Dispatcher } from "undici";
import type { Received } from "./http-answer.ts";

/** Bytes of a body that wait here to be taken, before the target has to wait. */
const maxWaitingBytes = 64 * 1024;

type Next = IteratorResult<Uint8Array, undefined>;

const over: Next = { done: true, value: undefined };

/**
 * Sends a request; resolves with its answer once that begins. By undici's `dispatch`, since its `request` makes a stream of every body:
 * with a small one, that costs a third of the whole exchange.
 *
 * @param signal gives the exchange up, with its reason, the answer's body included
 */
export function dispatched(client: Client, options: Dispatcher.DispatchOptions, signal: AbortSignal): Promise<Received> {
  return new Promise((resolve, reject) => {
    const handler = new Exchange(options, signal, resolve, reject);
    try {
      client.dispatch(options, handler);
    } catch (error) {
      handler.fail(error);
    }
  });
}

/** One exchange: undici calls it as the answer comes, and whoever reads the body takes its pieces. */
class Exchange implements Dispatcher.DispatchHandler, Received, AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  statusCode = 0;
  headers: Received["headers"] = {};
  trailers: IncomingHttpHeaders = {};
  readonly #options: Dispatcher.DispatchOptions;
  readonly #signal: AbortSignal;
  readonly #begun: (answer: Received) => void;
  readonly #failed: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #taker: { resolve(next: Next): void; reject(error: unknown): void } | undefined;
  #end: { readonly error?: unknown } | undefined;

  constructor(
    options: Dispatcher.DispatchOptions,
    signal: AbortSignal,
    begun: (answer: Received) => void,
    failed: (error: unknown) => void,
  ) {
    this.#options = options;
    this.#signal = signal;
    this.#begun = begun;
    this.#failed = failed;
    if (signal.aborted) this.fail(signal.reason);
    else signal.addEventListener("abort", this.#giveUp, { once: true });
  }

  get body(): AsyncIterable<Uint8Array> {
    return this;
  }

  discard(): void {
    this.fail(new Error("the answer was given up"));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#end !== undefined) controller.abort(errorOf(this.#end.error));
  }

  onResponseStart(_controller: unknown, statusCode: number, headers: IncomingHttpHeaders): void {
    // An interim answer (RFC 9110 §15.2) says nothing yet.
    if (statusCode < 200) return;
    this.statusCode = statusCode;
    this.headers = headers as Received["headers"];
    this.#begun(this);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#end !== undefined) return;
    const taker = this.#taker;
    if (taker !== undefined) {
      this.#taker = undefined;
      return taker.resolve({ done: false, value: chunk });
    }
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= maxWaitingBytes) controller.pause();
  }

  onResponseEnd(_controller: unknown, trailers: IncomingHttpHeaders = {}): void {
    if (this.#end !== undefined) return;
    this.trailers = trailers;
    this.#finish({});
    this.#taker?.resolve(over);
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.fail(error);
  }

  /** Ends the exchange, wherever it is. */
  fail(error: unknown): void {
    if (this.#end !== undefined) return;
    this.#finish({ error });
    this.#waiting = [];
    this.#failed(error);
    this.#taker?.reject(error);
    this.#controller?.abort(errorOf(error));
    const { body } = this.#options;
    if (body instanceof Readable) body.on("error", () => undefined).destroy(errorOf(error));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Next> {
    const value = this.#waiting.shift();
    if (value !== undefined) {
      this.#waitingBytes -= value.length;
      if (this.#waiting.length === 0 && this.#controller?.paused === true) this.#controller.resume();
      return { done: false, value };
    }
    if (this.#end === undefined) return new Promise<Next>((resolve, reject) => (this.#taker = { resolve, reject }));
    if ("error" in this.#end) throw this.#end.error;
    return over;
  }

  async return(): Promise<Next> {
    this.discard();
    return over;
  }

  readonly #giveUp = () => this.fail(this.#signal.reason);

  #finish(end: { readonly error?: unknown }): void {
    this.#end = end;
    this.#signal.removeEventListener("abort", this.#giveUp);
  }
}

const errorOf = (error: unknown): Error => (error instanceof Error ? error : new Error("given up", { cause: error }));
