import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";
import { idToken, refuses, ShiftedClock } from "../authn.fixture.ts";
import { issuerFetch } from "./fetch-json.ts";
import type { TrustProvider } from "./trust-provider.ts";
import { TrustProviders } from "./trust-providers.ts";

const redirectUri = "http://127.0.0.1/callback";

describe("a sign-in at oidc-provider", () => {
  let server: Server;
  let url: string;
  before(async () => {
    server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { privateKey } = await generateKeyPair("ES256", { extractable: true });
    const provider = new Provider(url, {
      jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: "key-1", alg: "ES256", use: "sig" }] },
      clients: ["sallyport", "other"].map((client_id) => ({
        client_id,
        client_secret: "of a test",
        redirect_uris: [redirectUri],
        application_type: "native" as const,
        id_token_signed_response_alg: "ES256" as const,
      })),
      claims: { openid: ["sub", "groups"] },
      conformIdTokenClaims: false,
      cookies: { keys: ["of a test"] },
      features: { devInteractions: { enabled: false } },
      pkce: { required: () => false },
      findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId, groups: ["release-team"] }) }),
      interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    });
    const callback = provider.callback();
    server.on(
      "request",
      (request, response) =>
        void (request.url?.startsWith("/interaction/") ? agree(provider, request, response) : callback(request, response)),
    );
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
  });

  const providers = () => {
    const provider: TrustProvider = {
      name: "corp",
      issuer: url,
      audiences: ["sallyport"],
      algorithms: ["ES256"],
      kind: "person",
      claims: { subject: "sub", groups: "groups" },
      singleUse: false,
      skewSeconds: 60,
    };
    return new TrustProviders([{ provider, fetchJson: issuerFetch("corp", ["127.0.0.0/8"]) }], new ShiftedClock());
  };

  it("ends with an ID token that names alice and her groups", async () => {
    const { principal, groups } = await providers().verify(await signIn(url, "sallyport"), idToken);
    assert.equal(principal, "corp/alice");
    assert.deepEqual(groups, ["corp/release-team"]);
  });

  it("for another client is not accepted", async () => {
    await refuses("UNAUTHENTICATED", providers().verify(await signIn(url, "other"), idToken), /audience/);
  });
});

/** Alice signs in and agrees, without a page. */
async function agree(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { params } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId: "alice", clientId: params.client_id as string });
  grant.addOIDCScope("openid");
  await provider.interactionFinished(request, response, { login: { accountId: "alice" }, consent: { grantId: await grant.save() } });
}

/** The authorization code flow (OIDC Core §3.1), as a browser and a client would go through it. */
async function signIn(url: string, client: string): Promise<string> {
  const cookies = new Map<string, string>();
  let at = new URL(`${url}/auth?client_id=${client}&response_type=code&scope=openid&redirect_uri=${encodeURIComponent(redirectUri)}`);
  while (!at.href.startsWith(redirectUri)) {
    const answer = await fetch(at, { redirect: "manual", headers: { cookie: [...cookies].map((pair) => pair.join("=")).join("; ") } });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = answer.headers.get("location");
    assert.ok(location, `${at.pathname} answered ${answer.status}: ${await answer.text()}`);
    at = new URL(location, url);
  }
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    code: at.searchParams.get("code") ?? "",
    redirect_uri: redirectUri,
  });
  const authorization = `Basic ${Buffer.from(`${client}:${encodeURIComponent("of a test")}`).toString("base64")}`;
  const answer = (await (await fetch(`${url}/token`, { method: "POST", body, headers: { authorization } })).json()) as {
    id_token?: string;
  };
  assert.ok(answer.id_token, JSON.stringify(answer));
  return answer.id_token;
}
