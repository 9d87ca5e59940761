import { type Address, classOf, contains, embeddedIn, parseRange, type Range } from "./address-class.ts";

export type Judgement = { readonly allowed: true } | { readonly allowed: false; readonly what: string; readonly canBeListed: boolean };

/** Which addresses may be dialled: public ones, and what configuration lists. */
export class AddressPolicy {
  readonly #allow: readonly Range[];
  readonly #listAll: boolean;

  /**
   * @param allow ranges beside public addresses; link-local, metadata and multicast addresses stay refused whatever it says
   * @param listAll as if every loopback and private range were listed: for what the operator runs, never for what a request names
   * @throws Error where a range cannot be read
   */
  constructor(allow: readonly string[], listAll = false) {
    this.#allow = allow.map(parseRange);
    this.#listAll = listAll;
  }

  /** An address that carries another one inside is fine only if both are. */
  judge(address: Address): Judgement {
    const { kind, what } = classOf(address);
    const allowed = kind === "public" || (kind === "listed" && (this.#listAll || this.#allow.some((range) => contains(range, address))));
    if (!allowed) return { allowed, what, canBeListed: kind === "listed" };
    const inner = embeddedIn(address);
    return inner === undefined ? { allowed } : this.judge(inner);
  }
}
