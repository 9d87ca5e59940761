import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

/** An issuer on loopback whose every answer a spec decides. */
export class LoopbackIssuer {
  readonly #server: Server;
  readonly #keys = new Map<string, { privateKey: CryptoKey; jwk: object }>();
  /** Replaces the answer of the key address; undefined: the keys as they are. */
  answer: RequestListener | undefined;
  /** What its metadata say beside, or instead. */
  metadata: Record<string, unknown> = {};
  /** The answer of the token endpoint. */
  tokens: RequestListener = (_request, response) => response.writeHead(400).end('{"error":"invalid_request"}');
  /** How often the keys were asked for. */
  asked = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      response.setHeader("content-type", "application/json");
      if (request.url === "/.well-known/openid-configuration") {
        response.end(JSON.stringify({ ...metadataAt(this.url), ...this.metadata }));
        return;
      }
      if (request.url === "/token") {
        this.tokens(request, response);
        return;
      }
      this.asked++;
      if (this.answer !== undefined) this.answer(request, response);
      else response.end(JSON.stringify(this.keySet()));
    });
  }

  static async open(): Promise<LoopbackIssuer> {
    const issuer = new LoopbackIssuer();
    issuer.#server.listen(0, "127.0.0.1");
    await once(issuer.#server, "listening");
    await issuer.addKey("key-1");
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  keySet(): { keys: object[] } {
    return { keys: [...this.#keys.values()].map(({ jwk }) => jwk) };
  }

  async addKey(kid: string): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
    this.#keys.set(kid, { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" } });
  }

  removeKey(kid: string): void {
    this.#keys.delete(kid);
  }

  privateKey(kid: string): CryptoKey {
    return this.#keys.get(kid)?.privateKey as CryptoKey;
  }

  /** A good ID token for alice, changed as a spec needs it; a claim set to undefined is left out. */
  token(claims: JWTPayload & Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const payload = { iss: this.url, aud: "sallyport", sub: "alice", iat: now, exp: now + 300, groups: ["release-team"], ...claims };
    return new SignJWT(JSON.parse(JSON.stringify(payload)) as JWTPayload)
      .setProtectedHeader({ alg: "ES256", kid: "key-1", ...header })
      .sign(this.privateKey((header.kid as string | undefined) ?? "key-1"));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

const metadataAt = (url: string) => ({
  issuer: url,
  jwks_uri: `${url}/jwks`,
  authorization_endpoint: `${url}/authorize`,
  token_endpoint: `${url}/token`,
});
