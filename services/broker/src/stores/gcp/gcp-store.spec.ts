import assert from "node:assert/strict";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { type GcpStore as GcpConfig, systemClock } from "@sallyport/service";
import { jwtVerify } from "jose";
import { conformance } from "../conformance.ts";
import { GcpStore } from "./gcp-store.ts";
import { startSecretManager } from "./secret-manager.fixture.ts";

describe("Google Cloud Secret Manager, as far as a fake of our own shows", () => {
  const stores: GcpStore[] = [];
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  let fake: Awaited<ReturnType<typeof startSecretManager>>;
  const open = async (endpoint: string, more: Partial<GcpConfig> = {}, timeoutMs = 5000) => {
    const variable = `SALLYPORT_TEST_KEY_${new URL(endpoint).port}`;
    process.env[variable] = JSON.stringify({
      type: "service_account",
      client_email: "broker@demo.iam.gserviceaccount.com",
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
      token_uri: `${endpoint}/token`,
    });
    const config: GcpConfig = {
      kind: "gcp-secret-manager",
      project: "demo",
      endpoint,
      auth: { serviceAccountKey: `env:${variable}` },
      network: ["127.0.0.0/8"],
      ...more,
    };
    const store = await GcpStore.open("gcp", config, { clock: systemClock, timeoutMs });
    stores.push(store);
    return store;
  };
  before(async () => {
    fake = await startSecretManager();
  });
  afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())));
  after(() => fake.stop());

  conformance(async () => ({ store: await open(fake.address), path: `c-${randomUUID()}` }), {
    at: (address, timeoutMs) => open(address, {}, timeoutMs),
    checksAndSets: false,
    tellsTime: false,
  });

  it("is signed in to by the service account's key, once for many reads", async () => {
    const store = await open(fake.address);
    const before = fake.tokens.length;
    await Promise.all([1, 2, 3].map(() => store.read("none").catch(() => undefined)));
    assert.equal(fake.tokens.length, before + 1);
    const { payload } = await jwtVerify(fake.tokens.at(-1) as string, publicKey, { audience: `${fake.address}/token` });
    assert.equal(payload.iss, "broker@demo.iam.gserviceaccount.com");
    assert.equal(store.ownCredentials().map(String)[0], `access-${fake.tokens.length}`);
  });

  it("is not reached where its address is not listed, nor opened with a key that is none", async () => {
    const store = await open(fake.address, { network: [] });
    await assert.rejects(store.read("api"), /stores\.gcp\.network/);
    process.env.SALLYPORT_TEST_NO_KEY = "canary-4711";
    await assert.rejects(
      open(fake.address, { auth: { serviceAccountKey: "env:SALLYPORT_TEST_NO_KEY" } }),
      (error: Error) => /serviceAccountKey/.test(error.message) && !error.message.includes("canary"),
    );
  });
});
