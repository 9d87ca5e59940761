import { isIPv4 } from "node:net";
import { Refusal } from "@sallyport/contracts";

const minuteMs = 60_000;

/** Addresses that are remembered at most; beyond that the one whose minute began first is forgotten. */
const mostAddresses = 10_000;

interface Minute {
  readonly began: number;
  count: number;
}

/**
 * How often one address may do what everybody may do who reaches this service. In this process's memory, which is bounded: it
 * costs nothing that a stranger could use up. An IPv6 address counts for its /64, of which whoever has one has all.
 */
export class AddressLimit {
  readonly #perMinute: number;
  readonly #now: () => number;
  readonly #most: number;
  readonly #minutes = new Map<string, Minute>();

  /** @param now monotonic milliseconds */
  constructor(perMinute: number, now: () => number, most = mostAddresses) {
    this.#perMinute = perMinute;
    this.#now = now;
    this.#most = most;
  }

  /** @param peer `<IP address>:<port>`, as `EdgeRequest.address` has it @throws Refusal RATE_LIMITED */
  count(peer: string): void {
    const network = networkOf(hostOf(peer));
    const now = this.#now();
    let minute = this.#minutes.get(network);
    if (minute === undefined || now - minute.began >= minuteMs) {
      // Put in anew, so that the first in the map is the one whose minute began first.
      this.#minutes.delete(network);
      minute = { began: now, count: 0 };
      this.#minutes.set(network, minute);
      if (this.#minutes.size > this.#most) this.#minutes.delete(this.#minutes.keys().next().value as string);
    }
    if (++minute.count <= this.#perMinute) return;
    throw new Refusal("RATE_LIMITED", `More than ${this.#perMinute} a minute came from your address: try again in a moment.`, {
      retryAfterMs: minute.began + minuteMs - now,
    });
  }

  /** How many are remembered. */
  get size(): number {
    return this.#minutes.size;
  }
}

/** @param peer `<IP address>:<port>` */
export const hostOf = (peer: string): string => peer.slice(0, Math.max(0, peer.lastIndexOf(":")));

/** What one customer has: an IPv4 address, or the /64 of an IPv6 one. */
export function networkOf(address: string): string {
  const mapped = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (isIPv4(mapped) || !mapped.includes(":")) return mapped;
  const [head = "", tail] = mapped.replace(/%.*$/, "").split("::");
  const groups = head === "" ? [] : head.split(":");
  const behind = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - behind.length);
  return [...groups, ...Array<string>(zeros).fill("0"), ...behind]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
