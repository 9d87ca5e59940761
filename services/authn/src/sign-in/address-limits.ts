import type { State } from "@sallyport/state";
import { AddressLimit, hostOf, networkOf } from "../http/address-limit.ts";
import { signInRefused } from "./refusals.ts";

const windowMs = 60_000;

/** Most of a kind in a minute: of one address, and of all together. Whoever may begin a sign-in is everybody. */
const most = {
  /** Each writes two small entries that live for a quarter of an hour. */
  "device-requests": { address: 120, all: 600 },
  /** RFC 8628 §5.1: of 2^34 codes at most 6,000 are good at a time: 200 guesses a minute would hit one of them in a fortnight. */
  "wrong-user-codes": { address: 10, all: 200 },
  /** Each writes one entry, and asks an identity provider for a page at most. */
  attempts: { address: 120, all: 1_200 },
} as const;

/** What one address may do at one replica in a minute at all: beyond that it costs the shared state nothing. */
const mostHere = 600;

export type Limited = keyof typeof most;

/** What one address may do to the shared state, over all replicas. An IPv6 address counts by its /64, which is one customer's. */
export class AddressLimits {
  readonly #state: State;
  readonly #here: AddressLimit;

  constructor(state: State, clock: { monotonic(): number }) {
    this.#state = state;
    this.#here = new AddressLimit(mostHere, () => clock.monotonic());
  }

  /** @param address with its port, as the socket has it @throws Refusal RATE_LIMITED */
  async count(kind: Limited, address: string): Promise<void> {
    this.#here.count(address);
    const limits = most[kind];
    if ((await this.#state.increment(counterOf(kind, address), 1, windowMs)) > limits.address) throw tooOften();
    if ((await this.#state.increment(counterOf(kind), 1, windowMs)) > limits.all) throw tooOften();
  }

  /** Takes back what was counted beforehand, so that many at once cannot slip through, and turned out to be well. */
  async forgive(kind: Limited, address: string): Promise<void> {
    await Promise.all([counterOf(kind, address), counterOf(kind)].map((counter) => this.#state.increment(counter, -1, windowMs)));
  }
}

const counterOf = (kind: Limited, address?: string) => `sign-in ${kind}${address === undefined ? "" : ` ${networkOf(hostOf(address))}`}`;

const tooOften = () =>
  signInRefused(
    "too-often",
    "There were too many sign-ins or wrong codes from here: wait a minute, and try again.",
    undefined,
    "RATE_LIMITED",
  );
