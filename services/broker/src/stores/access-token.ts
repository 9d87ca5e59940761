import type { Egress } from "@sallyport/egress";
import type { Clock } from "@sallyport/service";
import { jsonAnswer } from "./json-answer.ts";
import { refusals } from "./refusals.ts";

interface Held {
  readonly token: string;
  /** Monotonic milliseconds. */
  readonly endsAt: number;
}

export interface TokenRequest {
  readonly url: string;
  readonly form: Readonly<Record<string, string>>;
}

/** Milliseconds before its end from which a token is no longer used. */
const marginMs = 60_000;

/**
 * An OAuth access token of the broker's own (RFC 6749 §4.4 and the like), fetched through the store's guarded way out and used
 * until shortly before its end. One request runs at a time.
 */
export class AccessToken {
  readonly #store: string;
  readonly #egress: Egress;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #request: () => Promise<TokenRequest>;
  #held: Held | undefined;
  #asking: Promise<Held> | undefined;

  /** @param request made anew for each token: what it proves with may be rotated */
  constructor(store: string, egress: Egress, options: { clock: Clock; timeoutMs: number }, request: () => Promise<TokenRequest>) {
    this.#store = store;
    this.#egress = egress;
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
    this.#request = request;
  }

  /** @throws Refusal STORE_UNAVAILABLE, DESTINATION_NOT_ALLOWED */
  async get(): Promise<string> {
    if (this.#held !== undefined && this.#clock.monotonic() < this.#held.endsAt - marginMs) return this.#held.token;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    this.#held = await this.#asking;
    return this.#held.token;
  }

  /** The service did not accept it: the next call asks anew. */
  refused(): void {
    this.#held = undefined;
  }

  credentials(): readonly Uint8Array[] {
    return this.#held === undefined ? [] : [Buffer.from(this.#held.token)];
  }

  async #ask(): Promise<Held> {
    const { url, form } = await this.#request();
    const at = this.#clock.monotonic();
    const answer = await this.#egress.fetch(url, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: new URLSearchParams(form).toString(),
      timeoutMs: this.#timeoutMs,
    });
    const { access_token: token, expires_in: seconds } = jsonAnswer(answer.body) ?? {};
    if (answer.status !== 200 || typeof token !== "string" || !/^[\x21-\x7e]{1,8192}$/.test(token))
      throw refusals.failed(this.#store, answer.status < 500 ? "refused the broker's sign-in" : "cannot sign the broker in");
    return { token, endsAt: at + (Number(seconds) > 0 ? Number(seconds) * 1000 : 300_000) };
  }
}
