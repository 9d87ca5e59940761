import { type Clock, type OpenbaoStore as OpenbaoConfig, resolveReference } from "@sallyport/service";
import { refusals } from "../refusals.ts";
import type { OpenBaoApi } from "./openbao-api.ts";

type AppRole = NonNullable<OpenbaoConfig["auth"]["approle"]>;

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
 * The broker's own sign-in to the vault: by AppRole, or by a token that it was given. A token that can be renewed is, after two
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
  #secretId: string | undefined;
  #closed = false;

  /** @throws Refusal INVALID_REQUEST where a reference leads to nothing: at the start rather than at the first use */
  constructor(name: string, auth: OpenbaoConfig["auth"], api: OpenBaoApi, clock: Clock) {
    this.#name = name;
    this.#auth = auth;
    this.#api = api;
    this.#clock = clock;
    if (auth.approle === undefined) this.#given(auth.token as string);
    else this.#appRole(auth.approle);
  }

  /** @throws Refusal STORE_UNAVAILABLE, DESTINATION_NOT_ALLOWED, TARGET_UNAVAILABLE */
  async token(): Promise<string> {
    if (this.#token !== undefined && this.#clock.monotonic() < this.#token.endsAt - marginMs) return this.#token.value;
    this.#signingIn ??= this.#signIn().finally(() => {
      this.#signingIn = undefined;
    });
    return (await this.#signingIn).value;
  }

  /** After a 403: whether the vault has forgotten the token, so that another try with a new one makes sense. */
  async forgotten(value: string): Promise<boolean> {
    if (this.#token?.value !== value) return true;
    const { status } = await this.#api.call("lookup-self", "GET", "auth/token/lookup-self", value);
    if (status !== 403) return false;
    // A token without the right to look itself up is refused alike; a given one that is still the same cannot be replaced.
    if (this.#auth.token !== undefined && this.#given(this.#auth.token) === value) return false;
    if (this.#token?.value === value) this.#forget();
    return true;
  }

  credentials(): readonly Uint8Array[] {
    return [this.#token?.value, this.#secretId].filter((value) => value !== undefined).map((value) => Buffer.from(value));
  }

  /** Ends what was signed in for; a given token is its giver's. */
  async close(): Promise<void> {
    this.#closed = true;
    const token = this.#token?.value;
    this.#forget();
    if (token !== undefined && this.#auth.approle !== undefined)
      await this.#api.call("revoke-self", "POST", "auth/token/revoke-self", token).catch(() => undefined);
  }

  async #signIn(): Promise<Token> {
    const token =
      this.#auth.approle === undefined
        ? await this.#lookUp(this.#given(this.#auth.token as string))
        : await this.#login(this.#auth.approle);
    if (this.#closed) throw refusals.failed(this.#name, "was closed");
    this.#keep(token);
    return token;
  }

  async #login(references: AppRole): Promise<Token> {
    const body = this.#appRole(references);
    this.#secretId = body.secret_id;
    const { status, json } = await this.#api.call("login", "POST", "auth/approle/login", undefined, body);
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
    const { status, json } = await this.#api.call("lookup-self", "GET", "auth/token/lookup-self", value);
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

  #appRole({ roleId, secretId }: AppRole): { role_id: string; secret_id: string } {
    return {
      role_id: resolveReference(roleId, `stores.${this.#name}.auth.approle.roleId`),
      secret_id: resolveReference(secretId, `stores.${this.#name}.auth.approle.secretId`),
    };
  }

  #given(reference: string): string {
    return resolveReference(reference, `stores.${this.#name}.auth.token`);
  }

  #keep(token: Token): void {
    clearTimeout(this.#renewal);
    this.#token = token;
    if (!token.renewable || this.#closed) return;
    const life = token.endsAt - this.#clock.monotonic();
    this.#renewal = setTimeout(() => void this.#renew(token), Math.min(maxTimerMs, Math.max(renewalPauseMs, (life * 2) / 3))).unref();
  }

  async #renew(token: Token): Promise<void> {
    const answer = await this.#api.call("renew-self", "POST", "auth/token/renew-self", token.value, {}).catch(() => undefined);
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
