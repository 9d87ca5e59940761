import { createHmac, hkdfSync, randomBytes } from "node:crypto";
import { sha256 } from "@sallyport/identity";
import type { State } from "@sallyport/state";
import { SealedCollection } from "../sessions/sealed-collection.ts";
import { identityOf, type KeptIdentity, keptIdentity, type ProvenPerson } from "../trust/kept-identity.ts";
import type { OutsideIdentity } from "../trust/trust-provider.ts";
import { grantRefused, signInRefused } from "./refusals.ts";
import { newUserCode } from "./user-code.ts";

/** How long a code can be entered, and for how much longer it is remembered that it was there. */
export const deviceSeconds = 600;
const rememberedMs = 300_000;

/** Seconds that a client has to wait between two polls (RFC 8628 §3.2). */
export const pollSeconds = 2;
/** A little less, as the network hurries some and holds up others. */
const pollMs = pollSeconds * 1000 - 300;

/** Who asks, as the person is told. */
export interface DeviceAsks {
  readonly client: string;
  /** RFC 7638, of the key that asked, and that alone gets the answer. */
  readonly thumbprint: string;
  /** From where it asked. */
  readonly address: string;
}

interface DeviceGrant extends DeviceAsks {
  /** Epoch milliseconds. */
  readonly begunAt: number;
  readonly expiresAt: number;
  readonly answer: "awaited" | "denied" | KeptIdentity;
}

/** A grant that a person was asked about, and has not answered yet. */
export interface OpenGrant extends DeviceAsks {
  readonly id: string;
  readonly begunAt: number;
}

export type Polled = { readonly kind: "pending" | "slow-down" } | { readonly kind: "approved"; readonly identity: OutsideIdentity };

/**
 * Device codes (RFC 8628), which lie in the shared state by their hashes, so that any replica can serve any step: one is asked for by
 * a key, answered in a browser, and redeemed by that key, once.
 */
export class DeviceCodes {
  readonly #grants: SealedCollection;
  readonly #userCodes: SealedCollection;
  readonly #state: State;
  readonly #clock: { now(): number };
  readonly #key: Uint8Array;

  constructor(state: State, secret: Uint8Array, clock: { now(): number }) {
    this.#state = state;
    this.#clock = clock;
    this.#grants = new SealedCollection(state, "device-codes", secret);
    this.#userCodes = new SealedCollection(state, "user-codes", secret);
    this.#key = new Uint8Array(hkdfSync("sha256", secret, "", "sallyport authn user codes", 32));
  }

  /** RFC 8628 §3.2. */
  async begin(asks: DeviceAsks): Promise<{ deviceCode: string; userCode: string }> {
    const deviceCode = randomBytes(32).toString("base64url");
    const begunAt = this.#clock.now();
    const grant: DeviceGrant = { ...asks, begunAt, expiresAt: begunAt + deviceSeconds * 1000, answer: "awaited" };
    await this.#grants.create(sha256(deviceCode), JSON.stringify(grant), deviceSeconds * 1000 + rememberedMs);
    for (;;) {
      const userCode = newUserCode();
      // One that was drawn already is another's for as long as it lives.
      if (await this.#userCodes.create(this.#hash(userCode), JSON.stringify(sha256(deviceCode)), deviceSeconds * 1000))
        return { deviceCode, userCode };
    }
  }

  /** What a person's code stands for (§3.3). @throws Refusal UNAUTHENTICATED `user-code`, the same for every code that is none or no longer good */
  async open(userCode: string): Promise<OpenGrant> {
    const entry = await this.#userCodes.get(this.#hash(userCode));
    const id = entry === undefined ? undefined : (JSON.parse(entry.text) as string);
    const grant = id === undefined ? undefined : (await this.#load(id))?.grant;
    if (id === undefined || grant === undefined || !this.#isOpen(grant)) throw noSuchCode();
    const { client, thumbprint, address, begunAt } = grant;
    return { id, client, thumbprint, address, begunAt };
  }

  /** Gives it the person who signed in. @throws Refusal UNAUTHENTICATED `over` where it was answered, or its time is over */
  async approve(id: string, person: ProvenPerson): Promise<void> {
    // By our own clock and when it was asked for: so it is never younger than what an earlier state could have known of.
    await this.#answer(id, ({ begunAt }) => keptIdentity(person, Math.floor(begunAt / 1000)));
  }

  /** The person said no. @throws Refusal as {@link approve} */
  async deny(id: string): Promise<void> {
    await this.#answer(id, () => "denied");
  }

  /**
   * What there is for the key that asked (§3.5). Another key gets nothing, and slows nobody down.
   * @throws Refusal UNAUTHENTICATED with the error `invalid_grant`, `expired_token` or `access_denied`
   */
  async poll(deviceCode: string, client: string, thumbprint: string): Promise<Polled> {
    const id = sha256(deviceCode);
    const grant = deviceCode.length > 100 ? undefined : (await this.#load(id))?.grant;
    if (grant === undefined) throw grantRefused("The device code is not known, or was used already: ask for another.");
    if (grant.thumbprint !== thumbprint || grant.client !== client)
      throw grantRefused("The device code belongs to another key or client: use the key that asked for it.");
    if (grant.expiresAt <= this.#clock.now()) throw grantRefused("The device code's time is over: ask for another.", "expired_token");
    if (grant.answer === "denied") throw grantRefused("The person said no: nobody was signed in.", "access_denied");
    if (grant.answer !== "awaited")
      return {
        kind: "approved",
        identity: identityOf(grant.answer, sha256(`device-code ${deviceCode}`), Math.ceil(grant.expiresAt / 1000)),
      };
    const polls = await this.#state.increment(`sign-in polls ${id}`, 1, pollMs);
    return { kind: polls > 1 ? "slow-down" : "pending" };
  }

  /** Once only. @throws Refusal UNAUTHENTICATED with the error `invalid_grant` */
  async spend(deviceCode: string): Promise<void> {
    if (!(await this.#grants.delete(sha256(deviceCode)))) throw grantRefused("The device code was used already: ask for another.");
  }

  async #answer(id: string, answerTo: (grant: DeviceGrant) => DeviceGrant["answer"]): Promise<void> {
    const found = await this.#load(id);
    if (found === undefined || !this.#isOpen(found.grant)) throw over();
    const { grant, version } = found;
    const left = grant.expiresAt - this.#clock.now() + rememberedMs;
    const answered: DeviceGrant = { ...grant, answer: answerTo(grant) };
    if (!(await this.#grants.replace(id, version, JSON.stringify(answered), left))) throw over();
  }

  async #load(id: string): Promise<{ grant: DeviceGrant; version: number } | undefined> {
    const entry = await this.#grants.get(id);
    return entry === undefined ? undefined : { grant: JSON.parse(entry.text) as DeviceGrant, version: entry.version };
  }

  #isOpen({ answer, expiresAt }: DeviceGrant): boolean {
    return answer === "awaited" && expiresAt > this.#clock.now();
  }

  /** A plain hash of so few letters could be turned back by whoever reads the state. */
  #hash(userCode: string): string {
    return createHmac("sha256", this.#key).update(userCode).digest("base64url");
  }
}

export const noSuchCode = () =>
  signInRefused(
    "user-code",
    "There is no such code, or its time is over, or it was answered already: compare it with what your terminal shows.",
  );

const over = () => signInRefused("over", "This sign-in was answered already, or its time is over: begin it again.");
