import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "@sallyport/contracts";
import { type OpenbaoStore as OpenbaoConfig, systemClock } from "@sallyport/service";
import { kvPath } from "./kv-path.ts";
import { OpenBaoStore } from "./openbao-store.ts";

const token = "t.canary-4711-token";
const versionKey = Buffer.alloc(32, 7);
const options = { clock: systemClock, versionKey };
const loopback = ["127.0.0.0/8"];
const fields = (value: string) => new Map([["token", Buffer.from(value)]]);
const configFor = (address: string | string[], more: Partial<OpenbaoConfig> = {}): OpenbaoConfig => ({
  kind: "openbao",
  address: [address].flat(),
  namespace: undefined,
  mount: "secret",
  kv: 2,
  auth: { token: "env:SALLYPORT_TEST_TOKEN" },
  ca: undefined,
  network: loopback,
  ...more,
});

describe("a vault", () => {
  const stores: OpenBaoStore[] = [];
  const servers: ReturnType<typeof createServer>[] = [];
  let calls: { line: string; headers: IncomingMessage["headers"]; body: string }[] = [];

  const vault = async (listener: RequestListener, more: Partial<OpenbaoConfig> = {}) => {
    const server = createServer(async (request, answer) => {
      let body = "";
      for await (const piece of request) body += piece;
      calls.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
      if (request.url === "/v1/auth/token/lookup-self" && !more.auth) answer.end('{"data":{"ttl":0}}');
      else listener(request, answer);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const store = new OpenBaoStore("vault", configFor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, more), {
      ...options,
      timeoutMs: 1000,
    });
    stores.push(store);
    return store;
  };
  const lines = () => calls.map(({ line }) => line);
  const kv = (version: number, data: object | null) =>
    JSON.stringify({ data: { data, metadata: { version, created_time: "2026-01-01T00:00:00.5Z" } } });

  before(() => {
    process.env.SALLYPORT_TEST_TOKEN = token;
    process.env.SALLYPORT_TEST_ROLE = "role-id";
    process.env.SALLYPORT_TEST_SECRET_ID = "canary-4711-secret-id";
  });
  beforeEach(() => {
    calls = [];
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  for (const [what, data] of Object.entries({ "a version": '{"data":{"data":{"token":"canary-4711"}}}', data: kv(3, null) })) {
    it(`that answers without ${what} is unavailable`, async () => {
      const store = await vault((_, answer) => answer.end(data));
      await unavailable(store.read("orders/api"));
      await unavailable(store.describe("orders/api"));
      await unavailable(store.write("orders/api", fields("new-canary-4711")));
    });
  }

  it("that refuses and one that has nothing give one answer", async () => {
    const sentences = await Promise.all(
      [403, 404].map(async (status) => unavailable((await vault((_, answer) => answer.writeHead(status).end("{}"))).read("a"))),
    );
    assert.equal(sentences[0]?.message, sentences[1]?.message);
  });

  it("that answers a write with nothing clear may have stored it, which is said", async () => {
    for (const listener of [
      (_: unknown, answer: { end(): void }) => answer.end(),
      (request: IncomingMessage) => void request.socket.destroy(),
    ] as RequestListener[]) {
      const store = await vault((request, answer) => (request.method === "GET" ? answer.end(kv(1, {})) : listener(request, answer)));
      const refusal = await unavailable(store.write("a", fields("x")), /may have been stored/);
      assert.equal(refusal.metadata.effect, "unknown");
    }
  });

  it("that answers with another version than was asked for is not believed", async () => {
    const store = await vault((_, answer) => answer.end(kv(3, { token: "v" })));
    await unavailable(store.read("a", "2"));
    assert.equal((await store.read("a", "3")).version, "3");
  });

  it("is asked with the broker's token and namespace, for exactly the path", async () => {
    const store = await vault((_, answer) => answer.end(kv(3, { token: "v", number: 5 })), { namespace: "team-a" });
    const read = await store.read("secret/orders/a b?c#d", "3");
    assert.deepEqual(
      [read.version, read.createdAt, [...read.fields].map(String)],
      ["3", Date.parse("2026-01-01T00:00:00.5Z"), ["token,v"]],
    );
    const call = calls.at(-1);
    assert.equal(call?.line, "GET /v1/secret/data/orders/a%20b%3Fc%23d?version=3");
    assert.deepEqual(
      [call?.headers["x-vault-token"], call?.headers["x-vault-namespace"], call?.headers["x-vault-request"]],
      [token, "team-a", "true"],
    );
  });

  it("is never asked for a path that a URL could read as another", () => {
    for (const path of ["../sys/seal", "a/../b", "a//b", "", "/a", "a/", ".", "a/./b", "a\\b", "a\nb", "secret/"])
      assert.throws(() => kvPath("secret", path), /is no path/);
    assert.equal(kvPath("secret", "orders/api"), kvPath("secret", "secret/orders/api"));
    assert.equal(kvPath("secret", "secrets/orders"), "secrets/orders");
  });

  it("is not reached where its address is not listed", async () => {
    const store = await vault((_, answer) => answer.end(), { network: [] });
    await assert.rejects(
      store.read("a"),
      (error: unknown) =>
        error instanceof Refusal && error.reason === "DESTINATION_NOT_ALLOWED" && /stores\.vault\.network/.test(error.message),
    );
    assert.deepEqual(calls, []);
  });

  describe("of several nodes", () => {
    const node = async (health: number, answers: (answer: ServerResponse) => void) => {
      const asked: string[] = [];
      const server = createServer((request, answer) => {
        request.resume();
        if (request.url === "/v1/sys/health") return void answer.writeHead(health).end("{}");
        asked.push(`${request.method} ${request.url}`);
        answers(answer);
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
    };
    const opened = (...addresses: string[]) => {
      const store = new OpenBaoStore("vault", configFor(addresses), { ...options, timeoutMs: 900 });
      stores.push(store);
      return store;
    };
    const serves = (answer: ServerResponse) => answer.end(kv(3, { token: "v" }));

    it("is asked at the active one, and at another only where that does not serve", async () => {
      const active = await node(200, serves);
      const standby = await node(429, (answer) => answer.end(kv(2, { token: "behind" })));
      assert.equal((await opened(standby.address, active.address).read("a")).version, "3");
      assert.deepEqual(standby.asked, []);
      assert.equal((await opened(standby.address, "http://127.0.0.1:1").read("a")).version, "2");
      const sealed = await node(503, (answer) => answer.writeHead(503).end('{"errors":["Vault is sealed"]}'));
      assert.equal((await opened(sealed.address, active.address).read("a")).version, "3");
      await unavailable(opened(sealed.address, sealed.address).read("a"), /is sealed/);
    });

    it("is followed from a standby to a configured address, and to no other", async () => {
      const active = await node(500, serves);
      const elsewhere = await node(200, serves);
      const leading = (to: string) => node(429, (answer) => answer.writeHead(307, { location: `${to}/v1/secret/data/a` }).end());
      const standby = await leading(active.address);
      const other = await node(429, (answer) => answer.writeHead(503).end('{"errors":["Vault is sealed"]}'));
      assert.equal((await opened(standby.address, other.address, active.address).read("a")).version, "3");
      assert.ok(other.asked.length === 0 && active.asked.length > 0);
      const misled = await leading(elsewhere.address);
      const refusal = await unavailable(opened(misled.address).write("a", fields("x")), /at a configured address/);
      assert.equal(refusal.metadata.effect, "none");
      assert.deepEqual(elsewhere.asked, []);
    });

    it("is not sent a write again that may have been done", async () => {
      let writes = 0;
      const counted = (answer: ServerResponse) => {
        if (answer.req.method === "GET") return void answer.end(kv(1, {}));
        writes++;
        answer.req.socket.destroy();
      };
      const [one, two] = [await node(200, counted), await node(429, counted)];
      const refusal = await unavailable(opened(one.address, two.address).write("a", fields("x")), /may have been stored/);
      assert.equal(refusal.metadata.effect, "unknown");
      assert.equal(writes, 1);
    });
  });

  it("whose settings lead to nothing is refused at the start", () => {
    const open = (more: Partial<OpenbaoConfig>) => () => new OpenBaoStore("vault", configFor("http://127.0.0.1:1", more), options);
    assert.throws(open({ auth: { token: "env:SALLYPORT_TEST_UNSET" } }), /stores\.vault\.auth\.token/);
    assert.throws(
      open({ auth: { approle: { roleId: "env:SALLYPORT_TEST_ROLE", secretId: "file:/does/not/exist", mount: "approle" } } }),
      /approle\.secretId: the file/,
    );
    assert.throws(open({ ca: "/does/not/exist.pem" }), /stores\.vault\.ca/);
    assert.throws(open({ mount: "../sys" }), /is no path/);
  });

  describe("signed in to by AppRole", () => {
    const auth = { approle: { roleId: "env:SALLYPORT_TEST_ROLE", secretId: "env:SALLYPORT_TEST_SECRET_ID", mount: "approle" } };
    let known: Set<string>;
    let signIns: number;
    /** A vault that knows the tokens that it gave, for a time. */
    const signing = (seconds: number, renewable = true): RequestListener => {
      known = new Set();
      signIns = 0;
      const give = (value: string) => JSON.stringify({ auth: { client_token: value, lease_duration: seconds, renewable } });
      return (request, answer) => {
        const given = request.headers["x-vault-token"] as string;
        if (request.url === "/v1/auth/approle/login") {
          known.add(`canary-4711-${++signIns}`);
          answer.end(give(`canary-4711-${signIns}`));
        } else if (!known.has(given)) answer.writeHead(403).end("{}");
        else if (request.url === "/v1/auth/token/renew-self") answer.end(give(given));
        else if (request.url === "/v1/secret/data/forbidden") answer.writeHead(403).end("{}");
        else if (request.url === "/v1/auth/token/lookup-self") answer.end("{}");
        else answer.end(kv(1, { token: "v" }));
      };
    };

    it("is signed in to once for many reads at once, and its credentials are known to the masker", async () => {
      const store = await vault(signing(3600), { auth });
      await Promise.all([1, 2, 3, 4].map(() => store.read("a")));
      assert.equal(signIns, 1);
      assert.deepEqual(JSON.parse(calls[0]?.body ?? ""), { role_id: "role-id", secret_id: "canary-4711-secret-id" });
      assert.deepEqual(store.ownCredentials().map(String), ["canary-4711-1", "canary-4711-secret-id"]);
    });

    it("is signed in to anew when it has forgotten the token", async () => {
      const store = await vault(signing(3600), { auth });
      await store.read("a");
      known.clear();
      await store.read("a");
      assert.equal(signIns, 2);
    });

    it("is not signed in to anew where policy, not the token, is why it refuses", async () => {
      const store = await vault(signing(3600), { auth });
      for (let times = 0; times < 3; times++) await unavailable(store.read("forbidden"));
      assert.equal(signIns, 1);
    });

    it("has its token renewed while nobody uses it, and replaced where that cannot be", async () => {
      const store = await vault(signing(3), { auth });
      await store.read("a");
      await sleep(2300);
      assert.ok(lines().includes("POST /v1/auth/token/renew-self"));
      await store.read("a");
      assert.equal(signIns, 1);
      const other = await vault(signing(2, false), { auth });
      await other.read("a");
      await other.read("a");
      assert.equal(signIns, 2);
    });

    it("is told when the broker leaves", async () => {
      const store = await vault(signing(3600), { auth });
      await store.read("a");
      await store.close();
      assert.equal(lines().at(-1), "POST /v1/auth/token/revoke-self");
    });

    it("that refuses the sign-in is unavailable", async () => {
      for (const status of [400, 403, 500, 200]) {
        const store = await vault((_, answer) => answer.writeHead(status).end('{"auth":{"client_token":"a\\nb"}}'), { auth });
        await unavailable(store.read("a"), /sign/);
        assert.equal((await store.health()).ok, false);
      }
    });
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
