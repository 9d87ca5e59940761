import { randomBytes } from "node:crypto";
import { Pool } from "undici";
import { isSkipped, keycloak } from "../../support/servers.ts";

/** Calls of Keycloak's token endpoint; left out where there is no Keycloak. */
export type KeycloakTokens = { stop(): Promise<void> } & (
  | {
      /** A token of its own for another one (RFC 8693). */
      exchange: () => Promise<void>;
      /** The least that it can be asked: a token for a client that shows its secret (RFC 6749 §4.4). */
      clientCredentials: () => Promise<void>;
    }
  | { exchange?: undefined; skipped: string }
);

const client = { clientId: "bench", secret: randomBytes(24).toString("base64url") };
const realm = "bench";

/** Over kept-alive plain HTTP, signing with ES256 as authn does, its database and its sessions in memory. */
export async function keycloakTokens(connections: number): Promise<KeycloakTokens> {
  const server = await keycloak({ earnest: true });
  if (isSkipped(server)) return { skipped: server.skipped, stop: async () => {} };
  await server.admin("POST", "/admin/realms", {
    realm,
    enabled: true,
    sslRequired: "none",
    defaultSignatureAlgorithm: "ES256",
    clients: [
      {
        ...client,
        serviceAccountsEnabled: true,
        standardFlowEnabled: false,
        attributes: { "standard.token.exchange.enabled": "true", "access.token.signed.response.alg": "ES256" },
      },
    ],
  });
  const pool = new Pool(server.address, { connections, pipelining: 1 });
  const ask = async (form: Record<string, string>): Promise<string> => {
    const body = new URLSearchParams({ client_id: client.clientId, client_secret: client.secret, ...form }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const path = `/realms/${realm}/protocol/openid-connect/token`;
    const answer = await pool.request({ method: "POST", path, headers, body });
    const { access_token: token, error, error_description: why } = (await answer.body.json()) as Record<string, string | undefined>;
    if (token === undefined) throw new Error(`Keycloak answered ${answer.statusCode} ${error}: ${why}`);
    return token;
  };
  const clientCredentials = () => ask({ grant_type: "client_credentials" });
  const tokenType = "urn:ietf:params:oauth:token-type:access_token";
  let subject = await clientCredentials();
  // Its tokens live five minutes.
  const renewing = setInterval(async () => {
    subject = await clientCredentials().catch(() => subject);
  }, 60_000).unref();
  return {
    exchange: async () => {
      const grant = "urn:ietf:params:oauth:grant-type:token-exchange";
      await ask({ grant_type: grant, subject_token: subject, subject_token_type: tokenType, requested_token_type: tokenType });
    },
    clientCredentials: async () => void (await clientCredentials()),
    stop: async () => {
      clearInterval(renewing);
      await pool.close();
      await server.stop();
    },
  };
}
