import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubernetesStore as KubernetesConfig } from "@sallyport/service";
import { describeWith, kubernetes } from "../../../../../test/support/servers.ts";
import { conformance } from "../conformance.ts";
import { KubernetesStore } from "./kubernetes-store.ts";

const fields = (value: string) => new Map([["token", Buffer.from(value)]]);
const stores: KubernetesStore[] = [];

function open(address: string, more: Partial<KubernetesConfig> = {}, timeoutMs = 5000): KubernetesStore {
  process.env.SALLYPORT_TEST_TOKEN = "canary-4711-service-account";
  const config: KubernetesConfig = {
    kind: "kubernetes",
    address,
    namespace: "orders",
    token: "env:SALLYPORT_TEST_TOKEN",
    network: ["127.0.0.0/8"],
    ...more,
  };
  const store = new KubernetesStore("cluster", config, { timeoutMs });
  stores.push(store);
  return store;
}
afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())));

describeWith("Kubernetes Secrets, as fabric8 emulates them", { cluster: kubernetes }, ({ cluster }) => {
  conformance(async () => ({ store: open(cluster().address), path: `c-${randomUUID()}` }), {
    at: async (address, timeoutMs) => open(address, {}, timeoutMs),
    keepsVersions: false,
    keepsBytes: true,
    tellsTime: false,
  });

  it("keeps what a Secret has beside its data", async () => {
    const name = `c-${randomUUID()}`;
    const at = `${cluster().address}/api/v1/namespaces/orders/secrets`;
    const metadata = { name, namespace: "orders", labels: { app: "orders" } };
    const data = { token: Buffer.from("canary-4711").toString("base64") };
    const made = { apiVersion: "v1", kind: "Secret", type: "sallyport.example/api", metadata, data };
    await fetch(at, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(made) });
    await open(cluster().address).write(name, new Map([["user", Buffer.from("release-bot")]]));
    const now = (await (await fetch(`${at}/${name}`)).json()) as typeof made;
    assert.deepEqual([now.type, now.metadata.labels, Object.keys(now.data)], [made.type, metadata.labels, ["token", "user"]]);
  });
});

describe("Kubernetes Secrets", () => {
  it("are asked for with the token that the platform has put there last", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sallyport-token-"));
    const tokens: (string | undefined)[] = [];
    const server = createServer((request, answer) => {
      tokens.push(request.headers.authorization);
      answer.writeHead(404).end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      writeFileSync(join(folder, "token"), "canary-first");
      const store = open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { token: `file:${join(folder, "token")}` });
      await assert.rejects(store.read("api"));
      writeFileSync(join(folder, "token"), "canary-second\n");
      await assert.rejects(store.read("api"));
      assert.deepEqual(tokens, ["Bearer canary-first", "Bearer canary-second"]);
      assert.deepEqual(store.ownCredentials().map(String), ["canary-second"]);
    } finally {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true });
    }
  });

  it("that were written without an answer may have been stored, which is said", async () => {
    const server = createServer((request, answer) => {
      if (request.method === "GET") answer.writeHead(404).end("{}");
      else request.socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const store = open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      await assert.rejects(store.write("api", fields("canary-4711")), /may have been stored/);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
