import { setTimeout as sleep } from "node:timers/promises";
import { FeedService, type FollowResponse, Refusal } from "@sallyport/contracts";
import type { CredentialKeys, RevocationSet } from "@sallyport/identity";
import type { ServiceRole } from "../handler.ts";
import type { Host } from "../host.ts";
import { type Lease, TrustState } from "./trust-state.ts";

/** Milliseconds between two questions. Four answers may be late before a lease of 700 ms runs out. */
const askEveryMs = 150;

/** Milliseconds without any answer after which the connection is taken for dead. */
const silenceMs = 2_000;

/** Milliseconds before the first try to connect again; doubled up to the most, each time less up to half of it. */
const reconnect = { first: 50, most: 1_000 };

type Listener = () => void;

/**
 * Follows authn's feed: its keys, its revocations, the state's epoch, and the lease on all of them. Every replica of every
 * service has one, authn's own included. No lease, no effect.
 */
export class TrustFeed {
  readonly #host: Host;
  readonly #state = new TrustState();
  readonly #stopped = new AbortController();
  readonly #onRevoked = new Set<Listener>();
  readonly #onLeaseLost = new Set<Listener>();
  readonly #onAgentCa = new Set<Listener>();
  readonly #onGeneration = new Set<Listener>();
  #running: Promise<void> = Promise.resolve();
  #leaseTimer: NodeJS.Timeout | undefined;
  #lastHeard = 0;

  private constructor(host: Host) {
    this.#host = host;
  }

  /** Starts to follow, and does not wait for authn: until it answers, no lease is held. */
  static async follow(host: Host, role: ServiceRole = host.role): Promise<TrustFeed> {
    const feed = new TrustFeed(host);
    const gauge = host.telemetry.meter.createObservableGauge("sallyport.trust.lease", {
      unit: "ms",
      description: "Time left on the lease",
    });
    gauge.addCallback((result) =>
      result.observe(Math.max(0, feed.#state.leaseUntil - host.clock.monotonic()), { "sallyport.service": role }),
    );
    feed.#running = feed.#run();
    return feed;
  }

  lease(): Lease {
    return this.#state.lease(this.#host.clock.monotonic());
  }

  /** To be called last thing before an effect. @throws Refusal STATE_UNAVAILABLE */
  assertLease(): void {
    const lease = this.lease();
    if (!lease.held) throw noLease(lease.why);
  }

  /** The state's generation; changes when the state was lost. Undefined until authn was heard. */
  get generation(): string | undefined {
    return this.#state.generation;
  }

  /** Credentials of any other epoch are dead; -1 until authn was heard. */
  get epoch(): number {
    return this.#state.epoch;
  }

  /** The keys that sign credentials. Undefined until authn was heard. */
  get jwks(): CredentialKeys | undefined {
    return this.#state.keys;
  }

  /** Certificates that issue agents' client certificates, PEM. */
  get agentCaPem(): string | undefined {
    return this.#state.agentCaPem;
  }

  /** What was revoked; replaced by another set when the generation changes, so ask for it each time. */
  get revocations(): RevocationSet {
    return this.#state.revocations;
  }

  /** Told after something was revoked, or the epoch rose. @returns ends the subscription */
  onRevoked(listener: Listener): () => void {
    return subscribe(this.#onRevoked, listener);
  }

  /** Told when the lease has run out or was withdrawn. @returns ends the subscription */
  onLeaseLost(listener: Listener): () => void {
    return subscribe(this.#onLeaseLost, listener);
  }

  /** Told when {@link agentCaPem} changed. @returns ends the subscription */
  onAgentCa(listener: Listener): () => void {
    return subscribe(this.#onAgentCa, listener);
  }

  /** Told the state's generation, now where it is known and whenever it changes. @returns ends the subscription */
  onGeneration(listener: (generation: string) => void): () => void {
    const told = () => listener(this.generation as string);
    if (this.generation !== undefined) told();
    return subscribe(this.#onGeneration, told);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    clearTimeout(this.#leaseTimer);
    await this.#running;
  }

  async #run(): Promise<void> {
    let delay = reconnect.first;
    while (!this.#stopped.signal.aborted) {
      const heardBefore = this.#lastHeard;
      try {
        await this.#followOnce();
      } catch (error) {
        if (!this.#stopped.signal.aborted) this.#host.log.debug({ err: error }, "the trust feed was cut; connecting again");
      }
      this.#state.disconnected();
      delay = this.#lastHeard === heardBefore ? Math.min(delay * 2, reconnect.most) : reconnect.first;
      await pause(delay * (0.5 + Math.random() / 2), this.#stopped.signal);
    }
  }

  async #followOnce(): Promise<void> {
    const attempt = new AbortController();
    const signal = AbortSignal.any([attempt.signal, this.#stopped.signal]);
    try {
      const client = this.#host.peers.client("authn", FeedService);
      for await (const response of client.follow(this.#questions(attempt, signal), { signal })) this.#hear(response);
    } finally {
      attempt.abort();
    }
  }

  async *#questions(attempt: AbortController, signal: AbortSignal) {
    const { clock } = this.#host;
    const startedAt = clock.monotonic();
    while (!signal.aborted) {
      if (clock.monotonic() - Math.max(this.#lastHeard, startedAt) > silenceMs) return attempt.abort();
      yield this.#state.ask(clock.monotonic());
      await pause(askEveryMs, signal);
    }
  }

  #hear(response: FollowResponse): void {
    const { held } = this.lease();
    const { generation } = this;
    this.#lastHeard = this.#host.clock.monotonic();
    const news = this.#state.hear(response);
    if (this.generation !== generation) tell(this.#onGeneration);
    if (news.revoked) tell(this.#onRevoked);
    if (news.agentCa) tell(this.#onAgentCa);
    const lease = this.lease();
    if (lease.held) this.#watchLease();
    else if (held) this.#loseLease(lease.why);
    if (!held && lease.held) this.#host.log.info({ epoch: this.epoch, generation: this.generation }, "lease on the trust feed held");
  }

  /** One timer for however many streams wait: it looks again when the lease that it knew of would have ended. */
  #watchLease(): void {
    if (this.#leaseTimer !== undefined || this.#stopped.signal.aborted) return;
    const left = this.#state.leaseUntil - this.#host.clock.monotonic();
    this.#leaseTimer = setTimeout(
      () => {
        this.#leaseTimer = undefined;
        const lease = this.lease();
        if (lease.held) this.#watchLease();
        else this.#loseLease(lease.why);
      },
      Math.max(1, left),
    ).unref();
  }

  #loseLease(why: string): void {
    clearTimeout(this.#leaseTimer);
    this.#leaseTimer = undefined;
    this.#host.log.warn({ why }, "lease on the trust feed lost: no effect begins");
    tell(this.#onLeaseLost);
  }
}

/** The refusal of a replica that cannot know who was revoked. */
export const noLease = (why: string) =>
  new Refusal("STATE_UNAVAILABLE", `This service has no word from authn that holds (${why}), so it does nothing; try again in a moment.`, {
    retryAfterMs: 500,
  });

function subscribe(listeners: Set<Listener>, listener: Listener): () => void {
  // A wrapper of its own, so that a listener given twice is told twice and ended one by one.
  const entry = () => listener();
  listeners.add(entry);
  return () => void listeners.delete(entry);
}

function tell(listeners: ReadonlySet<Listener>): void {
  for (const listener of [...listeners]) listener();
}

const pause = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
