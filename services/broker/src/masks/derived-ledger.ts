import { Refusal } from "@sallyport/contracts";
import type { Clock } from "@sallyport/service";
import type { State } from "@sallyport/state";
import type { StateSeal } from "../sealing/state-seal.ts";
import type { DerivedValue } from "../targets/inject/injected.ts";

export type LedgerValue = DerivedValue & { readonly secret: string };

/** One tree's derived values as state has them; `version` 0 where there are none. */
export interface Ledger {
  readonly version: number;
  readonly values: readonly LedgerValue[];
}

const collection = "derived";
/** Of values that are good for one request, so many of the latest are masked in what a tree gets back: two for each signature. */
const maxOnce = 32;
/** Tokens that live at once in one tree; more is no use but an attack or a loop. */
const maxLasting = 256;
const maxTries = 20;
/** Milliseconds that a value stays masked after it is good for nothing: clocks differ. */
const graceMs = 5 * 60_000;

/**
 * What was derived for a tree and cannot be read again from a store (signatures, minted tokens): sealed in shared state before
 * it is used, so that every broker masks it.
 */
export class DerivedLedger {
  readonly #state: State;
  readonly #seal: StateSeal;
  readonly #clock: Clock;

  constructor(state: State, seal: StateSeal, clock: Clock) {
    this.#state = state;
    this.#seal = seal;
    this.#clock = clock;
  }

  async read(rootSid: string): Promise<Ledger> {
    const entry = await this.#state.get(collection, rootSid);
    if (entry === undefined) return { version: 0, values: [] };
    return { version: entry.version, values: this.#parse(this.#seal.open(entry.value, rootSid)) };
  }

  /** @throws Refusal RATE_LIMITED where the tree holds too many tokens already, STATE_UNAVAILABLE */
  async add(rootSid: string, added: readonly LedgerValue[]): Promise<Ledger> {
    for (let tries = 0; tries < maxTries; tries++) {
      const before = await this.read(rootSid);
      const fresh = added.filter((value) => !before.values.some((held) => same(held, value)));
      if (fresh.length === 0) return before;
      const values = this.#kept([...before.values, ...fresh]);
      const text = this.#seal.seal(values.map(toJson), rootSid);
      const ttlMs = Math.max(...values.map(({ goodUntil }) => goodUntil)) + graceMs - this.#clock.now();
      if (before.version === 0) {
        if (await this.#state.create(collection, rootSid, text, { ttlMs })) return this.read(rootSid);
      } else if (await this.#state.replace(collection, rootSid, before.version, text, { ttlMs })) return this.read(rootSid);
    }
    throw new Refusal("STATE_UNAVAILABLE", "Too many uses of this tree derive credentials at once; try again in a moment.", {
      retryAfterMs: 1000,
    });
  }

  #kept(values: readonly LedgerValue[]): LedgerValue[] {
    const live = values.filter(({ goodUntil }) => goodUntil + graceMs > this.#clock.now());
    const lasting = live.filter(({ once }) => !once);
    if (lasting.length > maxLasting)
      throw new Refusal("RATE_LIMITED", `This tree holds ${maxLasting} live tokens already; wait until some have run out.`, {
        retryAfterMs: 60_000,
      });
    return [...lasting, ...live.filter(({ once }) => once).slice(-maxOnce)];
  }

  #parse(opened: unknown): LedgerValue[] {
    return (opened as ReturnType<typeof toJson>[]).map(({ value, ...rest }) => ({ ...rest, value: Buffer.from(value, "base64") }));
  }
}

const toJson = ({ secret, what, value, goodUntil, once }: LedgerValue) => ({
  secret,
  what,
  value: Buffer.from(value).toString("base64"),
  goodUntil,
  once,
});

const same = (one: LedgerValue, other: LedgerValue) => one.secret === other.secret && Buffer.compare(one.value, other.value) === 0;
