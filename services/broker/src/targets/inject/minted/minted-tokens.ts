import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "@sallyport/contracts";
import type { Clock } from "@sallyport/service";
import type { State } from "@sallyport/state";
import type { StateSeal } from "../../../sealing/state-seal.ts";
import type { Mint, Minted } from "./minted.ts";

const tokens = "minted";
const locks = "minting";
/** Milliseconds that one broker has for minting before another may try: longer than a token endpoint may take. */
const lockMs = 20_000;
const waitMs = 15_000;
const pollMs = 50;
/** Milliseconds before its end that a token is replaced; a tenth of its life where that is less. */
const marginMs = 60_000;
/** A token younger than this is not thrown away because a target did not like it: that would hammer the token endpoint. */
const youngMs = 10_000;
/** A refresh token that nobody used for so long is given up. */
const refreshKeptMs = 400 * 86_400_000;

/**
 * Tokens that the broker fetched: in memory, and sealed in shared state, so that all brokers use one and a refresh token that is
 * replaced at each use (RFC 6749 §6, RFC 9700 §4.14) is spent by one broker at a time.
 */
export class MintedTokens {
  readonly #state: State;
  readonly #seal: StateSeal;
  readonly #clock: Clock;
  readonly #held = new Map<string, Minted>();
  readonly #minting = new Map<string, Promise<Minted>>();
  /** Minted and not yet in state, which failed: their refresh tokens are the only ones that are still good. */
  readonly #unsaved = new Map<string, Minted>();

  constructor(state: State, seal: StateSeal, clock: Clock) {
    this.#state = state;
    this.#seal = seal;
    this.#clock = clock;
  }

  /**
   * A token that is good for a while.
   *
   * @param id what it is for: target, secret, version and settings
   * @param signal gives the waiting up; what was begun goes on for the others
   * @throws Refusal STATE_UNAVAILABLE, and what `mint` throws
   */
  async get(id: string, mint: Mint, signal: AbortSignal): Promise<Minted> {
    const held = this.#held.get(id);
    if (held !== undefined && this.#fresh(held)) return held;
    const minting = this.#minting.get(id) ?? this.#start(id, mint);
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      signal.throwIfAborted();
      return await Promise.race([minting, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** The target did not take the token: the next use fetches another. The refresh token stays. */
  async reject(id: string, { token, mintedAt }: Minted): Promise<void> {
    if (this.#clock.now() - mintedAt < youngMs) return;
    if (this.#held.get(id)?.token === token) this.#held.delete(id);
    const { minted, version } = await this.#read(id);
    if (minted?.token === token) await this.#write(id, { ...minted, goodUntil: 0 }, version);
  }

  #start(id: string, mint: Mint): Promise<Minted> {
    const minting = this.#renewed(id, mint).finally(() => this.#minting.delete(id));
    this.#minting.set(id, minting);
    minting.catch(() => undefined);
    return minting;
  }

  async #renewed(id: string, mint: Mint): Promise<Minted> {
    const lock = randomBytes(9).toString("base64url");
    for (const until = this.#clock.monotonic() + waitMs; ; await sleep(pollMs)) {
      const { minted } = await this.#read(id);
      if (minted !== undefined && this.#fresh(minted) && !this.#unsaved.has(id)) return this.#hold(id, minted);
      if (await this.#state.create(locks, id, JSON.stringify(lock), { ttlMs: lockMs })) break;
      if (this.#clock.monotonic() > until)
        throw new Refusal(
          "STATE_UNAVAILABLE",
          "Another broker has been fetching this target's token for too long; try again in a moment.",
          {
            retryAfterMs: 1000,
            metadata: { effect: "none" },
          },
        );
    }
    try {
      // Once more: whoever held the lock before may have just written it.
      const { minted: stored, version } = await this.#read(id);
      const unsaved = this.#unsaved.get(id);
      if (unsaved === undefined && stored !== undefined && this.#fresh(stored)) return this.#hold(id, stored);
      const previous = unsaved ?? stored;
      const minted = previous !== undefined && this.#fresh(previous) ? previous : await mint(previous);
      this.#unsaved.set(id, minted);
      await this.#write(id, minted, version);
      this.#unsaved.delete(id);
      return this.#hold(id, minted);
    } finally {
      await this.#state.delete(locks, id).catch(() => undefined);
    }
  }

  #hold(id: string, minted: Minted): Minted {
    for (const [other, { goodUntil }] of this.#held) if (goodUntil < this.#clock.now()) this.#held.delete(other);
    this.#held.set(id, minted);
    return minted;
  }

  async #read(id: string): Promise<{ minted: Minted | undefined; version: number }> {
    const entry = await this.#state.get(tokens, id);
    if (entry === undefined) return { minted: undefined, version: 0 };
    try {
      return { minted: this.#seal.open(entry.value, id) as Minted, version: entry.version };
    } catch {
      // What no broker sealed is no token; it is replaced.
      return { minted: undefined, version: entry.version };
    }
  }

  async #write(id: string, minted: Minted, version: number): Promise<void> {
    const text = this.#seal.seal(minted, id);
    const ttlMs = minted.refreshToken === undefined ? Math.max(1, minted.goodUntil - this.#clock.now()) : refreshKeptMs;
    const written =
      version === 0
        ? await this.#state.create(tokens, id, text, { ttlMs })
        : await this.#state.replace(tokens, id, version, text, { ttlMs });
    if (!written)
      throw new Refusal("STATE_UNAVAILABLE", "This target's token was replaced by another broker meanwhile; try again.", {
        retryAfterMs: 100,
        metadata: { effect: "none" },
      });
  }

  #fresh({ mintedAt, goodUntil }: Minted): boolean {
    return goodUntil - Math.min(marginMs, (goodUntil - mintedAt) / 10) > this.#clock.now();
  }
}
