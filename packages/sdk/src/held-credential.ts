import { type Credential, Refusal, reasons } from "@sallyport/contracts";

/** A credential is renewed this long before it ends, or, where it was taken up fresh, once a third of its life is left, whichever is later. */
const renewBeforeMs = 60_000;

/** The credential that a session has now, renewed by whoever needs it first; all others wait for that one renewal. */
export class HeldCredential {
  readonly #renew: () => Promise<Credential | undefined>;
  readonly #now: () => number;
  #credential: Credential | undefined;
  #adoptedAt = 0;
  #renewing: Promise<Credential> | undefined;

  /** @param renew asks authn for the next one, with the current one */
  constructor(renew: () => Promise<Credential | undefined>, now: () => number = Date.now) {
    this.#renew = renew;
    this.#now = now;
  }

  get current(): Credential | undefined {
    return this.#credential;
  }

  /** Takes up a credential that was issued at some time before, as from a file: it counts as old. */
  resume(credential: Credential): void {
    this.#credential = credential;
    this.#adoptedAt = Number.NEGATIVE_INFINITY;
  }

  /** @throws Refusal INTERNAL where an answer holds none */
  adopt(credential: Credential | undefined): Credential {
    if (credential === undefined) throw new Refusal("INTERNAL", "The answer holds no credential.");
    this.#credential = credential;
    this.#adoptedAt = this.#now();
    return credential;
  }

  /** The credential for the next call; undefined before sign-in. @throws Refusal why it could not be renewed, once it has ended */
  async fresh(): Promise<Credential | undefined> {
    const credential = this.#credential;
    if (credential === undefined) return undefined;
    const endsAt = endOf(credential);
    if (this.#now() < endsAt - Math.min(renewBeforeMs, (endsAt - this.#adoptedAt) / 3)) return credential;
    try {
      return await this.renewed();
    } catch (error) {
      if (this.#now() < endsAt && isTransient(error)) return credential;
      throw error;
    }
  }

  renewed(): Promise<Credential> {
    this.#renewing ??= this.#renew()
      .then((credential) => this.adopt(credential))
      .finally(() => {
        this.#renewing = undefined;
      });
    return this.#renewing;
  }
}

const endOf = (credential: Credential) => Number(credential.expiresAt?.seconds ?? 0n) * 1000;

/** Whether another try may fare better: authn could not be reached, rather than saying no. */
const isTransient = (error: unknown) => error instanceof Refusal && (reasons[error.reason].exit === 7 || error.reason === "CANCELLED");
