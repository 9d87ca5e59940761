import { create, type DescMessage, type DescMethod, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { type Context, context } from "@opentelemetry/api";
import { Refusal } from "@sallyport/contracts";
import type { Logger } from "pino";
import { refusalOf } from "./failure.ts";
import type { Call, Door, PeerIdentity } from "./handler.ts";
import type { Served } from "./registry.ts";
import type { Observation, RpcObserver } from "./telemetry/rpc-observer.ts";
import { untilAborted } from "./until-aborted.ts";

/** A call as its transport knows it. */
export interface Incoming {
  readonly method: DescMethod;
  readonly door: Door;
  readonly peer: PeerIdentity;
  readonly signal: AbortSignal;
  readonly deadline: number | undefined;
  readonly metadata: ReadonlyMap<string, string>;
  /** Asked at most once. */
  hash(): Uint8Array;
  setHeader(name: string, value: string): void;
}

type Input = Message | AsyncIterable<Message>;
type Init = MessageInitShape<DescMessage>;

/** The one way from every transport to the handlers: admission, telemetry, and refusals as the only errors that come out. */
export class Dispatcher {
  readonly #observer: RpcObserver;
  readonly #log: Logger;

  constructor(observer: RpcObserver, log: Logger) {
    this.#observer = observer;
    this.#log = log;
  }

  /** For methods that answer with one message. @throws Refusal */
  async once(served: Served, incoming: Incoming, input: Input): Promise<Message> {
    const observation = this.#observe(incoming);
    try {
      admit(served, incoming);
      const handler = served.handlers[incoming.method.localName] as (input: Input, call: Call) => Promise<Init>;
      const init = await context.with(observation.context, () => handler(input, new HandlerCall(incoming, observation.context)));
      observation.end();
      return create(incoming.method.output, init);
    } catch (error) {
      throw this.#end(observation, incoming, error);
    }
  }

  /** For methods that answer with a stream, which ends early when the signal aborts. @throws Refusal */
  async *many(served: Served, incoming: Incoming, input: Input): AsyncGenerator<Message, void> {
    const observation = this.#observe(incoming);
    const within = <T>(act: () => T): T => context.with(observation.context, act);
    const aborted = untilAborted(incoming.signal);
    let iterator: AsyncIterator<Init> | undefined;
    let refusal: Refusal | undefined;
    try {
      admit(served, incoming);
      const handler = served.handlers[incoming.method.localName] as (input: Input, call: Call) => AsyncIterable<Init>;
      const running = within(() => handler(input, new HandlerCall(incoming, observation.context))[Symbol.asyncIterator]());
      iterator = running;
      for (;;) {
        const next = await aborted.wait(within(() => running.next()));
        if (next.done) {
          iterator = undefined;
          return;
        }
        yield create(incoming.method.output, next.value);
      }
    } catch (error) {
      refusal = this.#refuse(observation, incoming, error);
      throw refusal;
    } finally {
      aborted.release();
      // Not awaited: a generator that waits for something may take its time to hear of it, and the caller is gone.
      iterator?.return?.().catch((error) => this.#log.debug({ err: error }, "a stream's handler failed while ending"));
      observation.end(refusal);
    }
  }

  #observe({ method, door, metadata }: Incoming): Observation {
    return this.#observer.serving(method, door, door === "in-process" ? undefined : metadata);
  }

  #refuse(observation: Observation, { method }: Incoming, error: unknown): Refusal {
    return context.with(observation.context, () => refusalOf(error, this.#log, `${method.parent.typeName}/${method.name}`));
  }

  #end(observation: Observation, incoming: Incoming, error: unknown): Refusal {
    const refusal = this.#refuse(observation, incoming, error);
    observation.end(refusal);
    return refusal;
  }
}

class HandlerCall implements Call {
  readonly trace: Context;
  readonly #incoming: Incoming;
  #hash: Uint8Array | undefined;

  constructor(incoming: Incoming, within: Context) {
    this.#incoming = incoming;
    this.trace = within;
  }

  get method() {
    return this.#incoming.method;
  }
  get door() {
    return this.#incoming.door;
  }
  get peer() {
    return this.#incoming.peer;
  }
  get signal() {
    return this.#incoming.signal;
  }
  get deadline() {
    return this.#incoming.deadline;
  }
  get metadata() {
    return this.#incoming.metadata;
  }
  get requestHash() {
    this.#hash ??= this.#incoming.hash();
    return this.#hash;
  }
  setHeader(name: string, value: string): void {
    this.#incoming.setHeader(name, value);
  }
}

/** Between services only those that were named may call; every other door has the gate behind it. */
function admit({ roles, service }: Served, { door, peer }: Incoming): void {
  if (door !== "peers" && door !== "in-process") return;
  if (peer.kind === "service" && roles.includes(peer.role)) return;
  throw new Refusal(
    "DENIED_BY_POLICY",
    `${service.typeName} is not for ${peer.kind === "service" ? peer.role : "this caller"}; check which certificate it uses.`,
  );
}
