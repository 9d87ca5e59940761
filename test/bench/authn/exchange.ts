import { ProofMaker } from "@sallyport/identity";
import { Pool } from "undici";
import { type Figure, type Settings, throughput } from "../figure.ts";
import { alternating } from "../load.ts";
import type { InstalledAuthn } from "./installed-authn.ts";

/** Token exchanges per second over plain HTTP (RFC 8693), each with a proof of its own, a session in the state and its record on disk. */
export async function authnExchange(authn: InstalledAuthn, settings: Settings): Promise<Figure> {
  const maker = ProofMaker.generate();
  const pool = new Pool(authn.edge, { connections: settings.concurrency, pipelining: 1 });
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
  try {
    const runs = await alternating(settings, { exchange });
    return throughput({ name: "authn.exchange", peer: "" }, runs.exchange ?? [], []);
  } finally {
    await pool.close();
  }
}
