import assert from "node:assert/strict";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";

export interface ConfidentialClient {
  readonly secret: string;
  readonly redirectUri: string;
}

const asConfidential = ({ secret, redirectUri }: ConfidentialClient) => ({
  application_type: "web" as const,
  token_endpoint_auth_method: "client_secret_basic" as const,
  client_secret: secret,
  redirect_uris: [redirectUri],
  grant_types: ["authorization_code"],
});

/** An OIDC issuer (oidc-provider) on loopback at which alice signs in, and the browser that she does it with. */
export class LoginIssuer {
  readonly url: string;
  readonly clientId = "sallyport";
  readonly #server: Server;
  readonly #provider: Provider;

  private constructor(server: Server, confidential?: ConfidentialClient) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#provider = providerAt(this.url, this.clientId, confidential);
    const callback = this.#provider.callback();
    server.on("request", (request, response) => {
      if (request.url?.startsWith("/interaction/")) void this.#interact(request, response);
      else callback(request, response);
    });
  }

  /** @param confidential what its one client is, instead of a public one */
  static async start(confidential?: ConfidentialClient): Promise<LoginIssuer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new LoginIssuer(server, confidential);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Alice opens the address and signs in. @returns where the browser would go then, away from the issuer */
  async browse(url: string): Promise<URL> {
    const { left } = await this.#follow(url, new Map());
    return left ?? assert.fail("the browser stayed at the issuer");
  }

  /** Alice opens the address of a device sign-in, sees its code and says yes, or no. */
  async confirmDevice(url: string, says: "yes" | "no" = "yes"): Promise<void> {
    const cookies = new Map<string, string>();
    const { text } = await this.#follow(url, cookies);
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(text)?.[1] ?? assert.fail("no form for the code");
    const userCode = new URL(url).searchParams.get("user_code") ?? "";
    const said = says === "yes" ? { confirm: "yes" } : { abort: "yes" };
    await this.#follow(`${this.url}/device`, cookies, new URLSearchParams({ xsrf, user_code: userCode, ...said }));
  }

  async #follow(first: string, cookies: Map<string, string>, form?: URLSearchParams): Promise<{ left?: URL; text: string }> {
    let url = new URL(first);
    for (let body = form; ; body = undefined) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const response = await fetch(url, {
        redirect: "manual",
        headers: { cookie, accept: "text/html" },
        ...(body === undefined ? {} : { method: "POST", body }),
      });
      for (const line of response.headers.getSetCookie()) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        cookies.set(name, value);
      }
      const location = response.headers.get("location");
      const text = await response.text();
      if (location === null) return { text };
      url = new URL(location, url);
      if (url.origin !== this.url) return { left: url, text };
    }
  }

  async #interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { prompt, params, session } = await this.#provider.interactionDetails(request, response);
    if (prompt.name === "login") return this.#provider.interactionFinished(request, response, { login: { accountId: "alice" } });
    const grant = new this.#provider.Grant({ accountId: session?.accountId ?? "", clientId: params.client_id as string });
    grant.addOIDCScope("openid offline_access");
    await this.#provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  }
}

function providerAt(url: string, clientId: string, confidential?: ConfidentialClient): Provider {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const configuration: ConstructorParameters<typeof Provider>[1] = {
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: "ES256", use: "sig" } as never] },
    clients: [
      {
        client_id: clientId,
        application_type: "native",
        token_endpoint_auth_method: "none",
        redirect_uris: ["http://127.0.0.1/callback"],
        grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        response_types: ["code"],
        id_token_signed_response_alg: "ES256",
        ...(confidential === undefined ? {} : asConfidential(confidential)),
      },
    ],
    features: { devInteractions: { enabled: false }, deviceFlow: { enabled: true }, revocation: { enabled: true } },
    claims: { openid: ["sub", "groups"] },
    conformIdTokenClaims: false,
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId, groups: ["release-team"] }) }),
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    cookies: { keys: [randomUUID()] },
  };
  return new Provider(url, configuration);
}
