import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Egress } from "@sallyport/egress";
import { type AzureStore as AzureConfig, systemClock } from "@sallyport/service";
import { certificateFor } from "../../../../../packages/egress/src/certificates.fixture.ts";
import { conformance } from "../conformance.ts";
import type { Certified } from "../faulty-server.fixture.ts";
import { AzureStore } from "./azure-store.ts";
import { startKeyVault } from "./key-vault.fixture.ts";

describe("Azure Key Vault, as far as a fake of our own shows", () => {
  const stores: AzureStore[] = [];
  let tls: Certified;
  let fake: Awaited<ReturnType<typeof startKeyVault>>;
  const open = async (address: string, more: Partial<AzureConfig> = {}, timeoutMs = 5000) => {
    process.env.SALLYPORT_TEST_SECRET = "canary-4711-client-secret";
    const config: AzureConfig = {
      kind: "azure-key-vault",
      address,
      authority: address,
      auth: { tenantId: "tenant", clientId: "broker", clientSecret: "env:SALLYPORT_TEST_SECRET" },
      network: ["127.0.0.0/8"],
      ...more,
    };
    const egress = new Egress({
      allow: config.network,
      setting: "stores.azure.network",
      ca: tls.cert,
      connectTimeoutMs: timeoutMs,
      // The SDK insists on a name below the one that the challenge names.
      resolve: async () => ["127.0.0.1"],
    });
    const store = await AzureStore.open("azure", config, { clock: systemClock, timeoutMs, egress });
    stores.push(store);
    return store;
  };
  before(async () => {
    tls = { host: "orders.vault.test", ...(await certificateFor("orders.vault.test", "dns")) };
    fake = await startKeyVault(tls);
  });
  afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())));
  after(() => fake.stop());

  conformance(async () => ({ store: await open(fake.address), path: `c-${randomUUID()}` }), {
    at: (address, timeoutMs) => open(address, {}, timeoutMs),
    tls: () => tls,
    checksAndSets: false,
    longest: 20_000,
  });

  it("is signed in to at the configured authority, by a secret or the platform's token, wherever a challenge leads", async () => {
    await (await open(fake.address)).read("none").catch(() => undefined);
    assert.equal(fake.tokens.at(-1)?.get("client_secret"), "canary-4711-client-secret");
    process.env.SALLYPORT_TEST_JWT = "platform-token";
    const auth = { tenantId: "tenant", clientId: "broker", federatedToken: "env:SALLYPORT_TEST_JWT" };
    const store = await open(fake.address, { auth });
    await store.read("none").catch(() => undefined);
    assert.equal(fake.tokens.at(-1)?.get("client_assertion"), "platform-token");
    assert.equal(store.ownCredentials().map(String)[0], `access-${fake.tokens.length}`);
  });

  it("is not reached where its address is not listed, nor without TLS", async () => {
    await assert.rejects((await open(fake.address, { network: [] })).read("api"), /stores\.azure\.network/);
    await assert.rejects(open("http://orders.vault.test"), /by https only/);
  });
});
