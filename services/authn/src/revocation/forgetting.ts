import type { State } from "@sallyport/state";
import type { RevocationLog } from "./revocation-log.ts";

const collection = "authn";
const id = "longest-session-seconds";

/** Milliseconds between two looks whether something can be forgotten. */
const lookEveryMs = 600_000;

/** Milliseconds that a revocation is kept beyond need: by so much clocks may differ, and a credential be believed late. */
const marginMs = 3_600_000;

export interface ForgettingOptions {
  readonly state: State;
  readonly revocations: RevocationLog;
  readonly clock: { now(): number };
  /** Life of the sessions that this authn begins. */
  readonly sessionSeconds: number;
  readonly log: { info(facts: object, text: string): void; warn(facts: object, text: string): void };
}

/**
 * Forgets revocations once nothing that they could end lives any more: when the longest session that was ever begun in this
 * generation of the state, by whichever authn under whichever configuration, would be over. Both clocks, authn's and the
 * state's, must say so, that one which ran ahead brings nothing back.
 */
export class Forgetting {
  readonly #options: ForgettingOptions;
  readonly #timer: NodeJS.Timeout;
  #declared = false;

  constructor(options: ForgettingOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#look(), lookEveryMs).unref();
  }

  /** Puts down how long sessions live here. Before one is begun: a later authn with a shorter life must know. @throws Refusal STATE_UNAVAILABLE */
  async declare(): Promise<void> {
    if (this.#declared) return;
    const { state, sessionSeconds } = this.#options;
    for (;;) {
      const entry = await state.get(collection, id);
      const text = JSON.stringify(sessionSeconds);
      if (entry !== undefined && JSON.parse(entry.value) >= sessionSeconds) break;
      if (entry === undefined ? await state.create(collection, id, text) : await state.replace(collection, id, entry.version, text)) break;
    }
    this.#declared = true;
  }

  /** A new generation of the state knows nothing of it. */
  startAnew(): void {
    this.#declared = false;
  }

  /** @returns how many revocations were forgotten @throws Refusal STATE_UNAVAILABLE */
  async forget(): Promise<number> {
    const { state, revocations, clock } = this.#options;
    await this.declare();
    const entry = await state.get(collection, id);
    if (entry === undefined) return 0;
    const now = Math.min(clock.now(), await state.now());
    return revocations.forgetBefore(now - JSON.parse(entry.value) * 1000 - marginMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { log } = this.#options;
    try {
      const forgotten = await this.forget();
      if (forgotten > 0) log.info({ forgotten }, "revocations forgotten: everything that they ended is over by itself");
    } catch (error) {
      log.warn({ err: error }, "no revocation forgotten for now");
    }
  }
}
