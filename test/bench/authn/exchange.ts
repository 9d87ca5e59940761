import { ProofMaker } from "@sallyport/identity";
import { Pool } from "undici";
import { type Figure, type Settings, throughput } from "../figure.ts";
import { alternating, warmed } from "../load.ts";
import type { InstalledAuthn } from "./installed-authn.ts";
import { keycloakTokens } from "./keycloak-tokens.ts";

/**
 * Token exchanges per second over plain HTTP (RFC 8693), each with a proof of its own, a session in the state and its record on disk;
 * beside the faster of what Keycloak can do at its token endpoint: its own exchange, which proves, keeps and records none of that,
 * and a token for a client's secret.
 */
export async function authnExchange(authn: InstalledAuthn, settings: Settings): Promise<Figure> {
  const keycloak = await keycloakTokens(settings.concurrency);
  const ours = await ourExchange(authn, settings.concurrency);
  try {
    const theirs: Record<string, () => Promise<void>> =
      keycloak.exchange === undefined
        ? {}
        : { "Keycloak exchange": keycloak.exchange, "Keycloak client credentials": keycloak.clientCredentials };
    // A Java machine compiles for long: it is called until it gets no faster.
    for (const [name, call] of Object.entries(theirs)) await warmed(name, call, settings);
    const runs = await alternating(settings, { exchange: ours.exchange, ...theirs });
    const beside = Object.keys(theirs)
      .map((peer) => ({ peer, runs: runs[peer] ?? [], best: Math.max(...(runs[peer] ?? []).map(({ perSecond }) => perSecond)) }))
      .sort((a, b) => b.best - a.best)[0];
    return throughput(
      { name: "authn.exchange", peer: beside?.peer ?? "", skipped: "skipped" in keycloak ? keycloak.skipped : undefined },
      runs.exchange ?? [],
      beside?.runs ?? [],
    );
  } finally {
    await ours.stop();
    await keycloak.stop();
  }
}

async function ourExchange(authn: InstalledAuthn, connections: number) {
  const maker = ProofMaker.generate();
  const pool = new Pool(authn.edge, { connections, pipelining: 1 });
  // Of an issuer whose tokens are not for single use: the key that showed it first may show it again.
  const body = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: await authn.workloadToken("bench-exchange"),
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    authorization_details: JSON.stringify([{ type: "sallyport", actions: ["use"], secrets: ["prod/orders/*"], targets: ["orders-read"] }]),
  }).toString();
  const request = Buffer.from(body);
  const exchange = async () => {
    for (let tries = 0; ; tries++) {
      const dpop = maker.prove({ htu: `${authn.audience}/oauth/token`, request });
      const headers = { "content-type": "application/x-www-form-urlencoded", dpop };
      const answer = await pool.request({ method: "POST", path: "/oauth/token", headers, body });
      const { access_token: token, error } = (await answer.body.json()) as { access_token?: string; error?: string };
      const nonce = answer.headers["dpop-nonce"];
      if (typeof nonce === "string") maker.remember(nonce);
      if (token !== undefined) return;
      if (error !== "use_dpop_nonce" || tries > 1) throw new Error(`authn answered ${answer.statusCode} ${error}`);
    }
  };
  return { exchange, stop: () => pool.close() };
}
