import { Egress } from "@sallyport/egress";
import type { FetchJson } from "./discovery.ts";

const maxBodyBytes = 256 * 1024;

/** Fetches an issuer's documents by the guarded dialler. A redirect is an answer like any other that is not 200: none. */
export function issuerFetch(name: string, network: readonly string[], timeoutMs = 5_000): FetchJson {
  const egress = new Egress({ allow: network, setting: `trust.oidc.${name}.network` });
  return async (url) => {
    const { status, body } = await egress.fetch(url, { headers: { accept: "application/json" }, maxBodyBytes, timeoutMs });
    if (status !== 200) throw new Error(`the issuer answered ${status}`);
    return JSON.parse(body.toString("utf8"));
  };
}
