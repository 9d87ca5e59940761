import type { DescMethod } from "@bufbuild/protobuf";
import { Refusal } from "@sallyport/contracts";
import {
  type Credential,
  CredentialCache,
  type ExpectedCredential,
  type ExpectedProof,
  type Proof,
  type ProofMemory,
  sha256,
  verifyCredential,
  verifyProof,
} from "@sallyport/identity";
import type { Call } from "../handler.ts";
import type { Host } from "../host.ts";
import type { Caller, RenewingCaller } from "./caller.ts";
import { type ProofMemories, proofMemories } from "./proof-memory.ts";
import {
  credentialRefused,
  credentialRevoked,
  noCredential,
  nonceHeader,
  proofMissing,
  proofRefused,
  sessionOver,
  wrongBinding,
} from "./refusals.ts";
import { noLease, type TrustFeed } from "./trust-feed.ts";

/** Milliseconds of a nonce's two minutes after which an answer carries the next one. */
const nonceRenewalMs = 60_000;

/** Most milliseconds until a stream looks again whether its session is over: the clock may be set meanwhile. */
const sessionLookMs = 30_000;

/** A signal that ends with what it watches; `using` it, or aborting the signal it was made from, ends the watching. */
export type WatchedSignal = AbortSignal & Disposable;

/** Who calls? The one way in for agents and people, whatever the door. */
export class Gate {
  readonly #host: Host;
  readonly #feed: TrustFeed;
  readonly #memories: ProofMemories;
  readonly #cache = new CredentialCache();
  readonly #htus = new WeakMap<DescMethod, string>();

  constructor(host: Host, feed: TrustFeed, memories = proofMemories(host.clock)) {
    this.#host = host;
    this.#feed = feed;
    this.#memories = memories;
  }

  /**
   * The caller of a call, by its credential and a proof of its key.
   * @throws Refusal STATE_UNAVAILABLE, UNAUTHENTICATED, CREDENTIAL_EXPIRED, CREDENTIAL_REVOKED, PROOF_REQUIRED, PROOF_INVALID, RATE_LIMITED
   */
  async authenticate(call: Call): Promise<Caller> {
    this.#feed.assertLease();
    const scheme = schemeOf(call);
    const token = tokenOf(call, scheme);
    const tokenHash = sha256(token);
    const credential = this.#verify(token, { tokenHash, cache: this.#cache });
    this.#assertNotRevoked(credential);
    if (scheme === "Bearer") assertCertificate(credential, call);
    else this.#assertProof(credential, tokenHash, call);
    return callerOf(credential);
  }

  /**
   * As {@link authenticate}, for the one call that may come with a dead credential. A ceiling above it may have been narrowed;
   * and, where the key itself is proven, it may have expired, or be bound to a certificate that has. What it says counts for
   * no more than the session that it names.
   * @param shown the credential, where it stands in the request itself: `rqh` covers it there, and the proof needs no `ath`
   * @throws Refusal as `authenticate` does; CREDENTIAL_EXPIRED once no session of that age can live
   */
  async authenticateForRenewal(call: Call, shown?: string): Promise<RenewingCaller> {
    this.#feed.assertLease();
    const scheme = schemeOf(call);
    const token = shown ?? tokenOf(call, scheme);
    const tokenHash = sha256(token);
    // What a client certificate proves ends with the certificate, which ends with its credential.
    const credential = this.#verify(token, { tokenHash, lapsed: scheme === "DPoP" });
    this.#assertNotRevoked(credential, true);
    // Before the proof: a former holder's proofs take no room among those of present ones.
    if (sessionIsOver(credential, this.#host)) throw sessionOver();
    if (scheme === "Bearer") {
      assertCertificate(credential, call);
      return { ...callerOf(credential), key: undefined };
    }
    if (shown !== undefined) return { ...callerOf(credential), key: this.#verifyProof(call, this.#memories.bare).thumbprint };
    const { kind, thumbprint } = credential.binding;
    // Until the record says so, the key beside a certificate's credential may be anyone's, and is remembered among anyone's.
    const proof =
      kind === "dpop"
        ? this.#verifyProof(call, this.#memories.held, { tokenHash, thumbprint })
        : this.#verifyProof(call, this.#memories.bare, { tokenHash, thumbprint: undefined });
    return { ...callerOf(credential), key: proof.thumbprint };
  }

  /**
   * The key of a caller that has no credential yet: for exchange and redemption.
   * @throws Refusal PROOF_REQUIRED, PROOF_INVALID, RATE_LIMITED
   */
  async prove(call: Call): Promise<Proof> {
    return this.#verifyProof(call, this.#memories.bare);
  }

  /**
   * Last thing before an effect: the lease is held, and the caller is neither revoked nor is their session over.
   * @throws Refusal STATE_UNAVAILABLE, CREDENTIAL_REVOKED, CREDENTIAL_EXPIRED
   */
  assertLive(caller: Caller): void {
    this.#feed.assertLease();
    this.#assertNotRevoked(caller.credential);
    if (sessionIsOver(caller.credential, this.#host)) throw sessionOver();
  }

  /** A signal for a stream: aborts with the Refusal when the caller is revoked, their session is over or the lease is lost, and with `signal`. */
  watch(caller: Caller, signal: AbortSignal): WatchedSignal {
    const watching = new AbortController();
    const look = () => {
      try {
        this.assertLive(caller);
      } catch (error) {
        watching.abort(error);
      }
    };
    const passOn = () => watching.abort(signal.reason);
    const subscriptions = [
      this.#feed.onRevoked(look),
      this.#feed.onLeaseLost(look),
      onSessionEnd(caller.credential, this.#host, look),
      () => signal.removeEventListener("abort", passOn),
    ];
    const end = () => {
      for (const unsubscribe of subscriptions) unsubscribe();
    };
    watching.signal.addEventListener("abort", end, { once: true });
    signal.addEventListener("abort", passOn, { once: true });
    if (signal.aborted) passOn();
    else look();
    return Object.assign(watching.signal, { [Symbol.dispose]: end });
  }

  #verify(token: string, how: Pick<ExpectedCredential, "tokenHash" | "cache" | "lapsed">): Credential {
    const keys = this.#feed.jwks;
    if (keys === undefined) throw noLease("it has told no keys");
    // The installation is its own issuer: one name says who wrote a credential and who may take it.
    const { audience } = this.#host.config;
    const expected = { keys, issuer: audience, audience, now: this.#host.clock.now(), ...how };
    const verification = verifyCredential(token, expected);
    if (verification.kind === "refused") throw credentialRefused(verification);
    return verification.credential;
  }

  #assertNotRevoked(credential: Credential, forRenewal = false): void {
    if (credential.epoch !== this.#feed.epoch) throw credentialRevoked("epoch");
    const by = this.#feed.revocations.revokes(credential);
    if (by !== undefined && !(by === "narrowed" && forRenewal)) throw credentialRevoked(by);
  }

  #assertProof(credential: Credential, tokenHash: string, call: Call): void {
    if (credential.binding.kind !== "dpop") {
      throw wrongBinding("This credential is bound to a client certificate; call the listener for client certificates with it.");
    }
    this.#verifyProof(call, this.#memories.held, { tokenHash, thumbprint: credential.binding.thumbprint });
  }

  #verifyProof(call: Call, memory: ProofMemory, credential?: NonNullable<ExpectedProof["credential"]>): Proof {
    const monotonic = this.#host.clock.monotonic();
    const nonce = memory.nonces.current(monotonic);
    const token = call.metadata.get("dpop");
    if (token === undefined) throw this.#withNonce(call, nonce, proofMissing(nonce));
    const expected = { htu: this.#htuOf(call.method), requestHash: call.requestHash, now: this.#host.clock.now(), monotonic };
    const verification = verifyProof(token, credential === undefined ? expected : { ...expected, credential }, memory);
    if (verification.kind === "refused") throw this.#withNonce(call, nonce, proofRefused(verification, nonce));
    if (verification.proof.nonceAgeMs > nonceRenewalMs) call.setHeader(nonceHeader, nonce);
    return verification.proof;
  }

  #withNonce(call: Call, nonce: string, refusal: Refusal): Refusal {
    call.setHeader(nonceHeader, nonce);
    return refusal;
  }

  #htuOf(method: DescMethod): string {
    let htu = this.#htus.get(method);
    if (htu === undefined) {
      htu = `${this.#host.config.audience.replace(/\/+$/, "")}/${method.parent.typeName}/${method.name}`;
      this.#htus.set(method, htu);
    }
    return htu;
  }
}

const callerOf = (credential: Credential): Caller => ({
  credential,
  chain: credential.chain,
  ceiling: credential.ceiling,
  sid: credential.sid,
  rootSid: credential.chain.links[0].sid,
  thumbprint: credential.binding.thumbprint,
  binding: credential.binding.kind,
});

const schemeOf = (call: Call) => (call.door === "agents-mtls" ? "Bearer" : "DPoP");

/** Milliseconds until a credential's session ends by itself, which is never after the sessions above it. */
const sessionLeft = ({ sessionEndsAt }: Credential, { clock }: Host): number => sessionEndsAt * 1000 - clock.now();

const sessionIsOver = (credential: Credential, host: Host): boolean => sessionLeft(credential, host) <= 0;

/** Calls once when the session is over. @returns what ends the waiting */
function onSessionEnd(credential: Credential, host: Host, ended: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = () => {
    timer = setTimeout(() => (sessionIsOver(credential, host) ? ended() : wait()), Math.min(sessionLeft(credential, host), sessionLookMs));
    timer.unref();
  };
  wait();
  return () => clearTimeout(timer);
}

/** The token of `authorization: <scheme> <token>`; the scheme in any case (RFC 9110 §11.1). */
function tokenOf(call: Call, scheme: "DPoP" | "Bearer"): string {
  if (call.door === "peers")
    throw new Refusal("UNAUTHENTICATED", "Agents and people are not served between services; call the agents' listener.");
  const [, given, token] = /^([A-Za-z]+) +([A-Za-z0-9._~+/=-]+)$/.exec(call.metadata.get("authorization") ?? "") ?? [];
  if (given?.toLowerCase() !== scheme.toLowerCase() || token === undefined) throw noCredential(scheme);
  return token;
}

/** RFC 8705 §3: the certificate of the connection is the one that the credential is bound to. */
function assertCertificate(credential: Credential, { peer }: Call): void {
  if (credential.binding.kind !== "mtls") {
    throw wrongBinding("This credential is bound to a key, not to a certificate; call the agents' listener with a proof (DPoP).");
  }
  if (peer.kind !== "certificate" || peer.thumbprint !== credential.binding.thumbprint) {
    throw wrongBinding("This credential is bound to another client certificate than the one of this connection.");
  }
}
