import { createPrivateKey, generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SignJWT } from "jose";

/** A person or workload that the issuer knows. */
export interface Account {
  readonly subject: string;
  readonly groups: readonly string[];
  readonly owner?: string;
}

export interface Issuer {
  readonly url: string;
  /**
   * An ID token for an account, as its sign-in would end with.
   *
   * @param audience who it is for
   */
  idToken(account: Account, audience: string, overrides?: Record<string, unknown>): Promise<string>;
  stop(): Promise<void>;
}

/**
 * A real OIDC issuer on loopback (oidc-provider): discovery and keys are its own. The interactive part of the sign-in is
 * left out, so the token that would end it is signed here with the issuer's key.
 */
export async function startIssuer(port = 0): Promise<Issuer> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const kid = randomUUID();
  const jwk = {
    ...createPrivateKey(privateKey.export({ type: "pkcs8", format: "pem" })).export({ format: "jwk" }),
    kid,
    alg: "ES256",
    use: "sig",
  };
  // The port must be known before the issuer's name is, so a listener is bound first.
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = await quietly(async () => {
    const { default: Provider } = await import("oidc-provider");
    return new Provider(url, {
      jwks: { keys: [jwk] },
      clients: [
        {
          client_id: "sallyport",
          client_secret: randomUUID(),
          redirect_uris: ["https://localhost/callback"],
          id_token_signed_response_alg: "ES256",
        },
      ],
      features: { devInteractions: { enabled: false } },
    } as ConstructorParameters<typeof Provider>[1]);
  });
  server.on("request", provider.callback());
  return {
    url,
    idToken: (account, audience, overrides = {}) =>
      new SignJWT({
        groups: account.groups,
        ...(account.owner === undefined ? {} : { owner: account.owner }),
        jti: randomUUID(),
        ...overrides,
      })
        .setProtectedHeader({ alg: "ES256", kid })
        .setIssuer(url)
        .setSubject(account.subject)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime("5m")
        .sign(privateKey),
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** oidc-provider warns of each Node newer than it and of its in-memory adapter: true of a demo's issuer, and noise in its story. */
async function quietly<T>(run: () => Promise<T>): Promise<T> {
  const { warn } = console;
  console.warn = () => undefined;
  try {
    return await run();
  } finally {
    console.warn = warn;
  }
}
