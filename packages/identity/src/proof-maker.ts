import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { type Algorithm, algorithmOf } from "./jws.ts";
import type { PublicJwk } from "./proof-keys.ts";
import { jwkThumbprint, sha256 } from "./thumbprint.ts";

/** What a proof is made for. */
export interface ProofSubject {
  /** `<audience>/<service>/<Method>`. */
  readonly htu: string;
  /** The request message's bytes, as sent (of a stream: of its first message). */
  readonly request: Uint8Array;
  /** The credential that goes with it, if any. */
  readonly credential?: string | undefined;
  /** Who gave the nonce: the address that is called. */
  readonly peer?: string;
}

/** The holder's side of DPoP (RFC 9449): one key pair, and the last nonce that each peer gave. The private key stays in here. */
export class ProofMaker {
  readonly publicJwk: PublicJwk;
  /** RFC 7638 thumbprint: what a parent asks a ticket for. */
  readonly thumbprint: string;
  readonly #key: KeyObject;
  readonly #algorithm: Algorithm;
  readonly #encodedHeader: string;
  readonly #nonces = new Map<string, string>();

  /** @param privateKey P-256 or Ed25519. @throws Error for any other key */
  constructor(privateKey: KeyObject) {
    const publicJwk = createPublicKey(privateKey as never).export({ format: "jwk" }) as PublicJwk;
    const algorithm = algorithmOf(publicJwk);
    if (algorithm === undefined) throw new Error("a proof is made with a P-256 or an Ed25519 key");
    this.publicJwk = publicJwk;
    this.thumbprint = jwkThumbprint(publicJwk);
    this.#key = privateKey;
    this.#algorithm = algorithm;
    this.#encodedHeader = encode({ alg: algorithm, typ: "dpop+jwt", jwk: publicJwk });
  }

  /** With a new key pair. */
  static generate(algorithm: Algorithm = "ES256"): ProofMaker {
    return new ProofMaker(
      algorithm === "ES256" ? generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey : generateKeyPairSync("ed25519").privateKey,
    );
  }

  /** The private key, for a TLS client whose certificate is bound to it. Never written anywhere by Sallyport. */
  get privateKey(): KeyObject {
    return this.#key;
  }

  /** A proof for one call; good once. @param now epoch milliseconds */
  prove(subject: ProofSubject, now = Date.now()): string {
    const nonce = this.#nonces.get(subject.peer ?? "");
    const claims = {
      jti: randomBytes(16).toString("base64url"),
      htm: "POST",
      htu: subject.htu,
      iat: Math.floor(now / 1000),
      rqh: sha256(subject.request),
      ...(subject.credential === undefined ? {} : { ath: sha256(subject.credential) }),
      ...(nonce === undefined ? {} : { nonce }),
    };
    const signingInput = `${this.#encodedHeader}.${encode(claims)}`;
    return `${signingInput}.${this.#sign(Buffer.from(signingInput)).toString("base64url")}`;
  }

  /** Whether a peer gave a nonce already. */
  knows(peer = ""): boolean {
    return this.#nonces.has(peer);
  }

  /** Remembers a `dpop-nonce` that a peer gave, for its next proofs. */
  remember(nonce: string, peer = ""): void {
    this.#nonces.set(peer, nonce);
  }

  #sign(data: Uint8Array): Buffer {
    return this.#algorithm === "ES256" ? sign("sha256", data, { key: this.#key, dsaEncoding: "ieee-p1363" }) : sign(null, data, this.#key);
  }
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
