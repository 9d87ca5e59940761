import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { samlRefused } from "./saml-refusals.ts";

/** Milliseconds that a person has to sign in. */
const requestMs = 10 * 60_000;

/** Who waits for a sign-in: a command line's key, and the port at which it waits for the browser to come back. */
export interface Waiting {
  /** RFC 7638 thumbprint of the key that the session will be bound to (as `dpop_jkt`, RFC 9449 §10). */
  readonly thumbprint: string;
  /** Its own random 16 bytes, base64url: what it knows its sign-in by. */
  readonly state: string;
  readonly port: number;
}

/** Instead of a port: authn's own front waits, and no command line can say so. */
export const frontPort = 0;

/**
 * Requests that are known again by their ID alone. It carries, under a MAC, who waits and until when; so whoever may begin a
 * sign-in, which is everybody, writes nothing to the shared state, and every replica knows the requests of every other.
 */
export class SignInRequests {
  readonly #key: Uint8Array;

  /** @param secret what only authn holds */
  constructor(secret: Uint8Array) {
    this.#key = new Uint8Array(hkdfSync("sha256", secret, "", "sallyport authn saml requests", 32));
  }

  /** An `xs:NCName`, different each time. @param now epoch milliseconds */
  begin(provider: string, { thumbprint, state, port }: Waiting, now: number): string {
    const body = Buffer.alloc(62);
    Buffer.from(thumbprint, "base64url").copy(body, 0);
    Buffer.from(state, "base64url").copy(body, 32);
    body.writeUInt16BE(port, 48);
    body.writeUIntBE(now + requestMs, 50, 6);
    randomBytes(6).copy(body, 56);
    return `_${Buffer.concat([body, this.#mac(provider, body)]).toString("base64url")}`;
  }

  /** @throws Refusal UNAUTHENTICATED, `in-response-to` where it is none of ours, `request-over` where it is over */
  read(provider: string, id: string, now: number): Waiting & { readonly begunAt: number; readonly expiresAt: number } {
    const bytes = /^_[A-Za-z0-9_-]{104}$/.test(id) ? Buffer.from(id.slice(1), "base64url") : Buffer.alloc(0);
    const [body, mac] = [bytes.subarray(0, 62), bytes.subarray(62)];
    if (mac.length !== 16 || !timingSafeEqual(mac, this.#mac(provider, body))) throw samlRefused("in-response-to");
    const expiresAt = body.readUIntBE(50, 6);
    if (expiresAt <= now) throw samlRefused("request-over");
    const text = (from: number, to: number) => body.subarray(from, to).toString("base64url");
    return { thumbprint: text(0, 32), state: text(32, 48), port: body.readUInt16BE(48), begunAt: expiresAt - requestMs, expiresAt };
  }

  #mac(provider: string, body: Uint8Array): Buffer {
    return createHmac("sha256", this.#key).update(`${provider} `).update(body).digest().subarray(0, 16);
  }
}
