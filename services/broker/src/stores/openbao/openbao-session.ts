import { type Clock, type OpenbaoStore as OpenbaoConfig, type OpenbaoSignIn, openbaoSignIn, resolveReference } from "@sallyport/service";
import { refusals } from "../refusals.ts";
import { isSealed, type OpenBaoApi } from "./openbao-api.ts";

interface Token {
  readonly value: string;
  /** Monotonic milliseconds; infinite for one that never ends. */
  readonly endsAt: number;
  readonly renewable: boolean;
}

/** Milliseconds before its end from which a token is no longer used. */
const marginMs = 2_000;
/** Least milliseconds between two renewals. */
const renewalPauseMs = 1_000;
/** Longest that a timer waits; a longer life is looked at again then. */
const maxTimerMs = 24 * 3_600_000;

/**
 * The broker's own sign-in to the vault: by AppRole, a JWT or its Kubernetes service account, or a token that it was given. A token that can be renewed is, after two
 * thirds of its life and while nobody uses it; one that ended, or that the vault no longer knows, is replaced by signing in
 * anew, with what the references hold then. One sign-in runs at a time.
 */
export class OpenBaoSession {
  readonly #name: string;
  readonly #auth: OpenbaoConfig["auth"];
  readonly #api: OpenBaoApi;
  readonly #clock: Clock;
  #token: Token | undefined;
  #signingIn: Promise<Token> | undefined;
  #renewal: NodeJS.Timeout | undefined;
  /** What the last sign-in was made with. */
  #credential: string | undefined;
  #looking: { readonly value: string; readonly answer: Promise<boolean> } | undefined;
  #closed = false;

  /** @throws Refusal INVALID_REQUEST where a reference leads to nothing: at the start rather than at the first use */
  constructor(name: string, auth: OpenbaoConfig["auth"], api: OpenBaoApi, clock: Clock) {
    this.#name = name;
    this.#auth = auth;
    this.#api = api;
    this.#clock = clock;
    if (this.#signsInWith() === undefined) this.#given();
  }

  /** @throws Refusal STORE_UNAVAILABLE, DESTINATION_NOT_ALLOWED, TARGET_UNAVAILABLE */
  async token(): Promise<string> {
    if (this.#token !== undefined && this.#clock.monotonic() < this.#token.endsAt - marginMs) return this.#token.value;
    this.#signingIn ??= this.#signIn().finally(() => {
      this.#signingIn = undefined;
    });
    return (await this.#signingIn).value;
  }

  /** After a 403: whether the vault has forgotten the token, so that another try with a new one makes sense. Asked once for all who ask at once. */
  async forgotten(value: string): Promise<boolean> {
    if (this.#token?.value !== value) return true;
    if (this.#looking?.value !== value) {
      const answer = this.#isForgotten(value).finally(() => {
        this.#looking = undefined;
      });
      this.#looking = { value, answer };
    }
    return this.#looking.answer;
  }

  async #isForgotten(value: string): Promise<boolean> {
    const { status } = await this.#api.call({ operation: "lookup-self", method: "GET", path: "auth/token/lookup-self", token: value });
    if (status !== 403) return false;
    // A token without the right to look itself up is refused alike; a given one that is still the same cannot be replaced.
    if (this.#auth.token !== undefined && this.#given() === value) return false;
    if (this.#token?.value === value) this.#forget();
    return true;
  }

  credentials(): readonly Uint8Array[] {
    return [this.#token?.value, this.#credential].filter((value) => value !== undefined).map((value) => Buffer.from(value));
  }

  /** Ends what was signed in for; a given token is its giver's. */
  async close(): Promise<void> {
    this.#closed = true;
    const token = this.#token?.value;
    this.#forget();
    if (token !== undefined && this.#auth.token === undefined)
      await this.#api.call({ operation: "revoke-self", method: "POST", path: "auth/token/revoke-self", token }).catch(() => undefined);
  }

  async #signIn(): Promise<Token> {
    const signIn = this.#signsInWith();
    const token = signIn === undefined ? await this.#lookUp(this.#given()) : await this.#login(signIn);
    if (this.#closed) throw refusals.failed(this.#name, "was closed");
    this.#keep(token);
    return token;
  }

  async #login({ path, body, credential }: OpenbaoSignIn): Promise<Token> {
    this.#credential = credential;
    const answer = await this.#api.call({ operation: "login", method: "POST", path, body, repeatable: true });
    if (isSealed(answer)) throw refusals.sealed(this.#name);
    const { status, json } = answer;
    const token = status === 200 ? this.#fromAuth(json?.auth) : undefined;
    if (token === undefined)
      throw refusals.failed(
        this.#name,
        status >= 500 || status === 200 ? `cannot sign the broker in (${status})` : "refused the broker's sign-in",
      );
    return token;
  }

  /** A given token's life. One that may not look itself up is used until it is refused. */
  async #lookUp(value: string): Promise<Token> {
    const { status, json } = await this.#api.call({
      operation: "lookup-self",
      method: "GET",
      path: "auth/token/lookup-self",
      token: value,
    });
    const { ttl, renewable } = ((status === 200 ? json?.data : undefined) ?? {}) as { ttl?: unknown; renewable?: unknown };
    return this.#lasting(value, ttl, renewable);
  }

  #fromAuth(auth: unknown): Token | undefined {
    const { client_token: value, lease_duration: seconds, renewable } = (auth ?? {}) as Record<string, unknown>;
    // It becomes a header.
    return typeof value === "string" && /^[\x21-\x7e]{1,4096}$/.test(value) ? this.#lasting(value, seconds, renewable) : undefined;
  }

  #lasting(value: string, seconds: unknown, renewable: unknown): Token {
    const ends = typeof seconds === "number" && seconds > 0;
    return {
      value,
      endsAt: ends ? this.#clock.monotonic() + seconds * 1000 : Number.POSITIVE_INFINITY,
      renewable: ends && renewable === true,
    };
  }

  #signsInWith(): OpenbaoSignIn | undefined {
    return openbaoSignIn(this.#auth, `stores.${this.#name}.auth`);
  }

  #given(): string {
    return resolveReference(this.#auth.token as string, `stores.${this.#name}.auth.token`);
  }

  #keep(token: Token): void {
    clearTimeout(this.#renewal);
    this.#token = token;
    if (!token.renewable || this.#closed) return;
    const life = token.endsAt - this.#clock.monotonic();
    this.#renewal = setTimeout(() => void this.#renew(token), Math.min(maxTimerMs, Math.max(renewalPauseMs, (life * 2) / 3))).unref();
  }

  async #renew(token: Token): Promise<void> {
    const answer = await this.#api
      .call({ operation: "renew-self", method: "POST", path: "auth/token/renew-self", token: token.value, body: {}, repeatable: true })
      .catch(() => undefined);
    if (this.#token !== token) return;
    const renewed = answer?.status === 200 ? this.#fromAuth(answer.json?.auth) : undefined;
    // While it cannot be renewed it is used to its end, and tried again in between.
    this.#keep(renewed ?? { ...token, renewable: this.#clock.monotonic() < token.endsAt - marginMs });
  }

  #forget(): void {
    clearTimeout(this.#renewal);
    this.#token = undefined;
  }
}
