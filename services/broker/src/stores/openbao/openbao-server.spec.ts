import assert from "node:assert/strict";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "@sallyport/contracts";
import { type OpenbaoStore as OpenbaoConfig, systemClock } from "@sallyport/service";
import { SignJWT } from "jose";
import { certificateFor } from "../../../../../packages/egress/src/certificates.fixture.ts";
import { until } from "../../../../../test/support/process/port.ts";
import { describeWith, openbao, openbaoCluster, withOptions } from "../../../../../test/support/servers.ts";
import { conformance } from "../conformance.ts";
import { OpenBaoStore } from "./openbao-store.ts";

const fields = (value: string) => new Map([["token", Buffer.from(value)]]);
const stores: OpenBaoStore[] = [];

function open(address: string | readonly string[], token: string, more: Partial<OpenbaoConfig> = {}, timeoutMs = 5000): OpenBaoStore {
  process.env.SALLYPORT_TEST_TOKEN = token;
  const store = new OpenBaoStore(
    "vault",
    {
      kind: "openbao",
      address: [address].flat() as string[],
      namespace: undefined,
      mount: "secret",
      kv: 2,
      auth: { token: "env:SALLYPORT_TEST_TOKEN" },
      ca: undefined,
      network: ["127.0.0.0/8"],
      ...more,
    },
    { clock: systemClock, versionKey: Buffer.alloc(32, 7), timeoutMs },
  );
  stores.push(store);
  return store;
}
afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())));

describeWith("OpenBao", { bao: openbao }, ({ bao }) => {
  const opened = async (more: Partial<OpenbaoConfig> = {}) => open(bao().address, bao().token, more);
  const at = async (address: string, timeoutMs: number) => open(address, "t.canary-4711-own-token", {}, timeoutMs);
  const reader = async (path: string, more: object = {}) => {
    await bao().api("POST", "sys/policies/acl/reader", { policy: `path "${path}" { capabilities = ["read", "create", "update"] }` });
    return ((await bao().api("POST", "auth/token/create", { policies: ["reader"], ...more })) as { auth: { client_token: string } }).auth
      .client_token;
  };
  const forbidden = (mount: string, kv: 1 | 2) => async () => {
    const path = `closed/${randomUUID()}`;
    const root = await opened({ mount, kv });
    await root.write(path, fields("canary-4711"));
    return { store: open(bao().address, await reader("secret/data/other"), { mount, kv }), path };
  };

  describe("with KV version 2", () => {
    conformance(async () => ({ store: await opened(), path: `conformance/${randomUUID()}` }), { at, forbidden: forbidden("secret", 2) });

    it("names versions by their numbers", async () => {
      const store = await opened();
      const path = `orders/${randomUUID()}`;
      assert.deepEqual([await store.write(path, fields("canary-1")), await store.write(path, fields("canary-2"))], ["1", "2"]);
    });

    it("has no version that was deleted or destroyed, and counts on from it", async () => {
      const store = await opened();
      const path = `orders/${randomUUID()}`;
      await store.write(path, fields("canary-4711"));
      await bao().api("DELETE", `secret/data/${path}`);
      await unavailable(store.read(path));
      await unavailable(store.describe(path));
      assert.equal(await store.write(path, fields("canary-4712"), "1"), "2");
      await bao().api("PUT", `secret/destroy/${path}`, { versions: [2] });
      await unavailable(store.read(path, "2"));
    });
  });

  describe("with KV version 1", () => {
    before(() => bao().api("POST", "sys/mounts/kv1", { type: "kv", options: { version: "1" } }));

    conformance(async () => ({ store: await opened({ mount: "kv1", kv: 1 }), path: `conformance/${randomUUID()}` }), {
      at: async (address, timeoutMs) => open(address, "t.canary-4711-own-token", { mount: "kv1", kv: 1 }, timeoutMs),
      forbidden: forbidden("kv1", 1),
      keepsVersions: false,
      checksAndSets: false,
      tellsTime: false,
    });

    it("gives the same value the same version in each broker, and one that tells nothing of it", async () => {
      const path = `orders/${randomUUID()}`;
      const version = await (await opened({ mount: "kv1", kv: 1 })).write(path, fields("canary-4711"));
      assert.equal((await (await opened({ mount: "kv1", kv: 1 })).describe(path)).version, version);
      assert.match(version, /^c[0-9a-f]{24}$/);
    });
  });

  describe("in a namespace", () => {
    it("has what lies there and nothing from beside it", async () => {
      await bao().api("POST", "sys/namespaces/team-a", {});
      await bao().api("POST", "team-a/sys/mounts/secret", { type: "kv", options: { version: "2" } });
      const path = `orders/${randomUUID()}`;
      const inside = await opened({ namespace: "team-a" });
      await inside.write(path, fields("canary-4711"));
      assert.equal((await inside.read(path)).fields.get("token")?.toString(), "canary-4711");
      await unavailable((await opened()).read(path));
    });
  });

  describe("signed in to", () => {
    const auth = (method: string, body: object) =>
      bao()
        .api("POST", `sys/auth/${method}`, body)
        .catch(() => undefined);

    it("by an AppRole that may use one path", async () => {
      const path = `orders/${randomUUID()}`;
      await auth("approle", { type: "approle" });
      await bao().api("POST", "sys/policies/acl/broker", {
        policy: `path "secret/data/${path}" { capabilities = ["read", "create", "update"] }`,
      });
      await bao().api("POST", "auth/approle/role/broker", { token_policies: "broker", token_ttl: "10m" });
      const role = (await bao().api("GET", "auth/approle/role/broker/role-id")) as { data: { role_id: string } };
      const secret = (await bao().api("POST", "auth/approle/role/broker/secret-id", {})) as { data: { secret_id: string } };
      process.env.SALLYPORT_TEST_ROLE = role.data.role_id;
      process.env.SALLYPORT_TEST_SECRET_ID = secret.data.secret_id;
      const store = await opened({
        auth: { approle: { roleId: "env:SALLYPORT_TEST_ROLE", secretId: "env:SALLYPORT_TEST_SECRET_ID", mount: "approle" } },
      });
      assert.equal(await store.write(path, fields("canary-4711")), "1");
      assert.equal((await store.read(path)).fields.get("token")?.toString(), "canary-4711");
      // Its metadata may not be read by this role; its data may.
      assert.equal((await store.describe(path)).version, "1");
      assert.ok(store.ownCredentials().some((value) => value.toString() === secret.data.secret_id));
    });

    it("by a JWT of the broker's platform, and by no other", async () => {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      await auth("platform", { type: "jwt" });
      await bao().api("POST", "auth/platform/config", {
        jwt_validation_pubkeys: [publicKey.export({ type: "spki", format: "pem" })],
        bound_issuer: "https://platform.test",
      });
      await bao().api("POST", "sys/policies/acl/all", { policy: 'path "secret/*" { capabilities = ["read", "create", "update"] }' });
      await bao().api("POST", "auth/platform/role/broker", {
        role_type: "jwt",
        bound_audiences: ["vault"],
        user_claim: "sub",
        token_policies: "all",
      });
      const jwt = (audience: string) =>
        new SignJWT({}).setProtectedHeader({ alg: "ES256" }).setIssuer("https://platform.test").setSubject("broker").setAudience(audience)
          .setIssuedAt().setExpirationTime("5m").sign(privateKey); // biome-ignore format: one line of a builder
      const by = { jwt: { role: "broker", token: "env:SALLYPORT_TEST_JWT", mount: "platform" } };
      process.env.SALLYPORT_TEST_JWT = await jwt("elsewhere");
      const store = await opened({ auth: by });
      await unavailable(store.read("orders/x"), /refused the broker's sign-in/);
      // The platform rotates its token: the next sign-in takes the new one.
      process.env.SALLYPORT_TEST_JWT = await jwt("vault");
      const path = `orders/${randomUUID()}`;
      assert.equal(await store.write(path, fields("canary-4711")), "1");
      assert.deepEqual(await store.health(), { ok: true });
    });

    it("by the broker's Kubernetes service account", async () => {
      const reviews: string[] = [];
      // The cluster's part: it says whose token that is.
      const { cert, key } = await certificateFor("127.0.0.1", "ip");
      const cluster = createServer({ cert, key }, async (request, answer) => {
        let body = "";
        for await (const piece of request) body += piece;
        const { token } = JSON.parse(body).spec as { token: string };
        reviews.push(`${request.method} ${request.url}`);
        const user = { username: "system:serviceaccount:sallyport:broker", uid: "u-1", groups: [] };
        answer.setHeader("content-type", "application/json");
        answer.writeHead(201).end(
          JSON.stringify({
            apiVersion: "authentication.k8s.io/v1",
            kind: "TokenReview",
            metadata: {},
            spec: {},
            status: token.split(".").length === 3 ? { authenticated: true, user } : { authenticated: false },
          }),
        );
      });
      await new Promise<void>((resolve) => cluster.listen(0, "127.0.0.1", resolve));
      try {
        const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
        const claims = {
          "kubernetes.io": { namespace: "sallyport", serviceaccount: { name: "broker", uid: "u-1" } },
          sub: "system:serviceaccount:sallyport:broker",
        };
        process.env.SALLYPORT_TEST_JWT = await new SignJWT(claims)
          .setProtectedHeader({ alg: "ES256" })
          .setIssuer("kubernetes/serviceaccount")
          .setIssuedAt()
          .setExpirationTime("5m")
          .sign(privateKey);
        await auth("kubernetes", { type: "kubernetes" });
        await bao().api("POST", "auth/kubernetes/config", {
          kubernetes_host: `https://127.0.0.1:${(cluster.address() as AddressInfo).port}`,
          token_reviewer_jwt: process.env.SALLYPORT_TEST_JWT,
          kubernetes_ca_cert: cert,
        });
        await bao().api("POST", "sys/policies/acl/all", { policy: 'path "secret/*" { capabilities = ["read", "create", "update"] }' });
        await bao().api("POST", "auth/kubernetes/role/broker", {
          bound_service_account_names: ["broker"],
          bound_service_account_namespaces: ["sallyport"],
          token_policies: "all",
        });
        const store = await opened({ auth: { kubernetes: { role: "broker", token: "env:SALLYPORT_TEST_JWT", mount: "kubernetes" } } });
        assert.equal(await store.write(`orders/${randomUUID()}`, fields("canary-4711")), "1");
        assert.deepEqual(reviews, ["POST /apis/authentication.k8s.io/v1/tokenreviews"]);
      } finally {
        cluster.closeAllConnections();
        cluster.close();
      }
    });

    it("has its token renewed before it ends, and signs in anew when it was revoked in the middle of a load", async function () {
      this.timeout(30_000);
      const path = `orders/${randomUUID()}`;
      await (await opened()).write(path, fields("canary-4711"));
      await auth("approle", { type: "approle" });
      await bao().api("POST", "sys/policies/acl/all", { policy: 'path "secret/*" { capabilities = ["read", "create", "update"] }' });
      await bao().api("POST", "auth/approle/role/short", { token_policies: "all", token_ttl: "4s", token_max_ttl: "1h" });
      const role = (await bao().api("GET", "auth/approle/role/short/role-id")) as { data: { role_id: string } };
      const secret = (await bao().api("POST", "auth/approle/role/short/secret-id", {})) as { data: { secret_id: string } };
      process.env.SALLYPORT_TEST_ROLE = role.data.role_id;
      process.env.SALLYPORT_TEST_SECRET_ID = secret.data.secret_id;
      const store = await opened({
        auth: { approle: { roleId: "env:SALLYPORT_TEST_ROLE", secretId: "env:SALLYPORT_TEST_SECRET_ID", mount: "approle" } },
      });
      await store.read(path);
      const first = String(store.ownCredentials()[0]);
      await sleep(5_500);
      await store.read(path);
      assert.equal(String(store.ownCredentials()[0]), first, "the token was renewed past its first life");
      let [reads, failed] = [0, 0];
      const until = performance.now() + 1_500;
      const load = Array.from({ length: 8 }, async () => {
        while (performance.now() < until) {
          await store.read(path).then(
            ({ fields: read }) => assert.equal(read.get("token")?.toString(), "canary-4711"),
            () => failed++,
          );
          reads++;
        }
      });
      for (let times = 0; times < 3; times++) {
        await sleep(300);
        await bao().api("POST", "auth/token/revoke", { token: String(store.ownCredentials()[0]) });
      }
      await Promise.all(load);
      assert.notEqual(String(store.ownCredentials()[0]), first);
      assert.ok(reads > 50, `${reads}`);
      assert.equal(failed, 0, `${failed} of ${reads} reads failed`);
    });
  });

  it("that was frozen is unavailable, and serves again by itself", async function () {
    if (!bao().ours) this.skip();
    const store = open(bao().address, bao().token, {}, 400);
    const path = `orders/${randomUUID()}`;
    await store.write(path, fields("canary-4711"));
    bao().pause();
    await unavailable(store.read(path));
    bao().resume();
    assert.equal((await store.read(path)).version, "1");
  });
});

describeWith("OpenBao that keeps files", { bao: withOptions(openbao, { durable: true }) }, ({ bao }) => {
  it("is unavailable while it is sealed or down, says so, and serves again by itself", async function () {
    this.timeout(60_000);
    if (!bao().ours) this.skip();
    const store = open(bao().address, bao().token);
    const path = `orders/${randomUUID()}`;
    await store.write(path, fields("canary-4711"));
    await bao().seal();
    for (const call of [() => store.read(path), () => store.describe(path), () => store.write(path, fields("canary-4712"))]) {
      const refusal = await unavailable(call(), /is sealed; nothing was done\. An operator must unseal it/);
      assert.equal(refusal.metadata.effect, "none");
    }
    const health = await store.health();
    assert.ok(!health.ok && /is sealed/.test(health.why));
    await bao().unseal();
    assert.equal((await store.read(path)).version, "1");
    await bao().kill();
    await unavailable(store.read(path), /did not answer/);
    await bao().restart();
    assert.equal((await store.read(path)).fields.get("token")?.toString(), "canary-4711");
    assert.deepEqual(await store.health(), { ok: true });
  });
});

describeWith("OpenBao of three nodes", { cluster: openbaoCluster }, ({ cluster }) => {
  it("serves through whichever node is left, and a standby serves too", async function () {
    this.timeout(90_000);
    const { addresses, token } = cluster();
    const store = open(addresses.toReversed(), token);
    const path = `orders/${randomUUID()}`;
    await store.write(path, fields("canary-4711"));
    // A standby is behind: whoever read through one would not find what was just written.
    for (let i = 0; i < 10; i++) {
      await store.write(`${path}/${i}`, fields(`canary-${i}`));
      assert.equal((await store.read(`${path}/${i}`)).fields.get("token")?.toString(), `canary-${i}`);
    }
    const active = (await cluster().active()) as number;
    const standby = open(addresses.filter((_, i) => i !== active)[0] as string, token);
    await until("the standby to have it too", () => standby.read(path).then(() => true, () => false)); // biome-ignore format: short
    await cluster().node(active).kill();
    let unsure = false;
    const write = async () => {
      try {
        return await store.write(path, fields("canary-4712"), "1");
      } catch (error) {
        const { reason, metadata, message } = error as Refusal;
        // A standby that passes it on to the node that died may answer too late: then it might have been stored, and is looked for first.
        unsure ||= metadata.effect === "unknown";
        if (!unsure) assert.deepEqual([reason, metadata.effect], ["STORE_UNAVAILABLE", "none"], message);
        return unsure ? await store.read(path).then(({ version }) => version, () => undefined) : undefined; // biome-ignore format: short
      }
    };
    await until("another node to be active", async () => (await write()) === "2", 60_000, 200);
    assert.equal((await store.read(path)).fields.get("token")?.toString(), "canary-4712");
    assert.deepEqual(await store.health(), { ok: true });
  });
});

async function unavailable(call: Promise<unknown>, sentence = /./): Promise<Refusal> {
  const error = await call.then(
    () => assert.fail("was not refused"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof Refusal, String(error));
  assert.equal(error.reason, "STORE_UNAVAILABLE", error.message);
  assert.match(error.message, sentence);
  assert.ok(!error.message.includes("canary"));
  return error;
}
