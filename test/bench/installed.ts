import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Endpoints, Person } from "@sallyport/sdk";
import { certificateFor } from "../../packages/egress/src/certificates.fixture.ts";
import type { World } from "../demo/configuration.ts";
import { startEmbedded } from "../demo/installation.ts";
import { startIssuer } from "../demo/issuer.ts";
import { Child } from "../support/process/child.ts";
import { until } from "../support/process/port.ts";
import { isSkipped, redis } from "../support/servers.ts";
import { startApart } from "./apart.ts";

/** Where a benchmark's installation lives until {@link World} is no longer needed. */
export function benchFolder(): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-bench-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A configuration needs issuers and a target, even where nobody calls them. */
export const nobody = (state: string): World => ({
  state,
  peopleIssuer: "http://127.0.0.1:1",
  workloadIssuer: "http://127.0.0.1:2",
  apiUrl: "http://127.0.0.1:3",
});

/** What an installation under measurement is like. */
export interface Form {
  /** Seconds for which the broker may use a fetched value again; 0 is off. */
  readonly cacheSeconds: number;
  /** Brokers in processes of their own, each with its pdp; left out: all four services in one process. */
  readonly brokers?: number;
}

/** What a benchmark calls. */
export interface Installed {
  readonly endpoints: Endpoints;
  /** The doors for client certificates, one for each broker. */
  readonly agentsMtls: readonly string[];
  readonly target: { readonly url: string; readonly ca: string };
  workloadToken(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * A Sallyport with a secret in its file store, its state in Redis where there is one, and a trivial target in a process
 * of its own that speaks TLS.
 */
export async function installed({ cacheSeconds, brokers }: Form): Promise<Installed> {
  const { folder, remove } = benchFolder();
  const [people, workloads] = [await startIssuer(), await startIssuer()];
  const cache = await redis({ own: true });
  const { cert, key } = await certificateFor("127.0.0.1", "ip");
  const [certFile, keyFile] = [join(folder, "target.crt"), join(folder, "target.key")];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  const target = await Child.start(process.execPath, [new URL("target.ts", import.meta.url).pathname, certFile, keyFile]);
  await until("the target's port", () => target.output.includes("\n"));
  const apiUrl = `https://127.0.0.1:${target.output.trim()}`;
  const world = { state: folder, peopleIssuer: people.url, workloadIssuer: workloads.url, apiUrl, apiCa: certFile };
  const store = { kind: "file", path: "./secrets.jwe", key: "file:./data/keys/file-store.key", cacheSeconds };
  const state = isSkipped(cache) ? {} : { state: cache.address };
  const sallyport =
    brokers === undefined ? await startEmbedded(world, { store, ...state }) : await startApart(world, brokers, { store, ...state });
  const keeper = await Person.signIn({
    endpoints: sallyport.endpoints,
    idToken: await people.idToken({ subject: "kim", groups: ["secret-keepers"] }, "sallyport"),
  });
  await keeper.session.broker.write({ secret: "prod/orders/read", fields: { token: Buffer.from(randomBytes(24).toString("base64url")) } });
  keeper.session.close();
  return {
    endpoints: sallyport.endpoints,
    agentsMtls: [sallyport.agentsMtls ?? []].flat(),
    target: { url: apiUrl, ca: cert.toString() },
    workloadToken: () => workloads.idToken({ subject: "release-bot", groups: ["release-pipelines"], owner: "alice" }, "sallyport"),
    stop: async () => {
      await sallyport.stop();
      await Promise.all([target.stop(), people.stop(), workloads.stop(), isSkipped(cache) ? undefined : cache.stop()]);
      remove();
    },
  };
}
