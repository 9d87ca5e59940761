import { context, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import { Refusal } from "@sallyport/contracts";
import type { Clock, Health } from "@sallyport/service";
import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  isBrokenCircuitError,
} from "cockatiel";
import { isOutage, refusals } from "../refusals.ts";
import type { ReadSecret, SecretStore, SecretVersion } from "../secret-store.ts";
import type { StoreMetrics } from "./store-metrics.ts";
import { ValueCache } from "./value-cache.ts";

export interface ConnectionOptions {
  readonly cacheSeconds: number;
  readonly clock: Clock;
  readonly tracer?: Tracer | undefined;
  readonly metrics?: StoreMetrics | undefined;
}

/** Calls in a row that must fail before the store is left alone. */
const failures = 5;
/** Milliseconds that it is left alone: at first, and at most while it goes on failing. */
const rest = { initialDelay: 500, maxDelay: 5_000 };

/**
 * One store as the broker uses it: its adapter behind a circuit breaker of its own, so that a store which hangs costs one
 * wait and not one for each use, with its own health, cache, spans and figures. Only outages open the circuit; that there is
 * no such secret is an answer.
 */
export class StoreConnection {
  readonly name: string;
  readonly #store: SecretStore;
  readonly #options: ConnectionOptions;
  readonly #cache: ValueCache | undefined;
  readonly #breaker: CircuitBreakerPolicy;
  #trouble: string | undefined;

  constructor(name: string, store: SecretStore, options: ConnectionOptions) {
    this.name = name;
    this.#store = store;
    this.#options = options;
    this.#cache = options.cacheSeconds > 0 ? new ValueCache(options.clock, options.cacheSeconds) : undefined;
    this.#breaker = circuitBreaker(handleWhen(isOutage), {
      halfOpenAfter: new ExponentialBackoff(rest),
      breaker: new ConsecutiveBreaker(failures),
    });
  }

  /** @param fields those of the secret; others that lie at the same path are not this secret's, and are zeroed */
  async read(secret: string, path: string, fields: readonly string[], version?: string, signal?: AbortSignal): Promise<ReadSecret> {
    const held = this.#cache?.find(secret, path, version);
    if (held !== undefined) {
      this.#options.metrics?.count(this.name, "read", "cached");
      return held;
    }
    const asked = this.#cache?.asked();
    const read = only(fields, await this.#guarded("read", () => this.#store.read(path, version, signal)));
    if (asked !== undefined) this.#cache?.keep(secret, path, version, read, asked);
    return read;
  }

  async describe(path: string, signal?: AbortSignal): Promise<SecretVersion> {
    const found = await this.#guarded("describe", () => this.#store.describe(path, signal));
    this.#cache?.saw(path, found.version);
    return found;
  }

  async write(path: string, fields: ReadonlyMap<string, Uint8Array>, after?: string): Promise<string> {
    this.#cache?.written(path);
    try {
      return await this.#guarded("write", () => this.#store.write(path, fields, after));
    } finally {
      this.#cache?.written(path);
    }
  }

  ownCredentials(): readonly Uint8Array[] {
    return this.#store.ownCredentials();
  }

  /** Asks the store itself, past the circuit breaker. */
  health(): Promise<Health> {
    return this.#store.health();
  }

  /** What is wrong as far as the last call told, without asking; undefined where nothing is. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** 1 while calls go through, 0 while the circuit is open. */
  get serving(): 0 | 1 {
    return this.#breaker.state === CircuitState.Open ? 0 : 1;
  }

  async close(): Promise<void> {
    this.#cache?.clear();
    await this.#store.close();
  }

  /** With a span which names the store and never the secret: a trace goes to people who may not list secrets. */
  async #guarded<T>(operation: string, act: () => Promise<T>): Promise<T> {
    const { tracer, metrics, clock } = this.#options;
    const span = tracer?.startSpan(`secret ${operation}`, { attributes: { "sallyport.store": this.name } });
    const began = clock.monotonic();
    const within = span === undefined ? context.active() : trace.setSpan(context.active(), span);
    try {
      const result = await context.with(within, () => this.#breaker.execute(act));
      this.#trouble = undefined;
      metrics?.took(this.name, operation, "served", clock.monotonic() - began);
      return result;
    } catch (error) {
      const refused = isBrokenCircuitError(error) ? refusals.resting(this.name, undefined) : error;
      span?.setStatus({ code: SpanStatusCode.ERROR, ...(refused instanceof Refusal ? { message: refused.reason } : {}) });
      if (isBrokenCircuitError(error)) metrics?.count(this.name, operation, "resting");
      else metrics?.took(this.name, operation, isOutage(error) ? "outage" : "refused", clock.monotonic() - began);
      if (isOutage(error)) this.#trouble = (error as Refusal).message;
      else if (refused === error && error instanceof Refusal && error.reason !== "DESTINATION_NOT_ALLOWED") this.#trouble = undefined;
      throw refused;
    } finally {
      span?.end();
    }
  }
}

function only(fields: readonly string[], read: ReadSecret): ReadSecret {
  const kept = new Map<string, Buffer>();
  for (const [field, value] of read.fields) {
    if (fields.includes(field)) kept.set(field, value);
    else value.fill(0);
  }
  return { ...read, fields: kept };
}
