import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refusal } from "@sallyport/contracts";
import { type Clock, systemClock } from "@sallyport/service";
import { openState, type State } from "@sallyport/state";
import { importSPKI, jwtVerify } from "jose";
import Provider from "oidc-provider";
import { StateSeal } from "../../../sealing/state-seal.ts";
import { Injector } from "../injector.ts";
import { listen, operationOf, services, targetConfig } from "../targets.fixture.ts";
import { MintedTokens } from "./minted-tokens.ts";

const secret = "client-canary-4711";

describe("a token that the broker fetches", () => {
  let dir: string;
  let state: State;
  const closing: (() => unknown)[] = [];
  let ahead = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + ahead, monotonic: () => systemClock.monotonic() };

  beforeEach(async () => {
    ahead = 0;
    dir = mkdtempSync(join(tmpdir(), "sallyport-minted-"));
    state = await openState("sqlite", { dataDir: dir, clock: systemClock });
    await state.startGeneration(1);
    closing.push(
      () => rmSync(dir, { recursive: true }),
      () => state.close(),
    );
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const open = async (handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<{ url: string; server: Server }> => {
    const server = createServer(handler);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
  };

  /** Another broker of the same installation. */
  const broker = async (settings: string, fields: Readonly<Record<string, string>>, through: State = state) => {
    const config = targetConfig(9, `    inject: ${settings}`, Object.keys(fields));
    const tokens = new MintedTokens(through, new StateSeal(Buffer.alloc(32, 7), "minted tokens"), clock);
    const injector = new Injector({ targets: { api: config }, listen, services }, { clock, tokens });
    closing.push(() => injector.close());
    const inject = async (version = "1", values = fields, signal = new AbortController().signal) => {
      const secretFields = new Map(Object.entries(values).map(([field, value]) => [field, Buffer.from(value)]));
      const injected = await injector.inject(operationOf(config, {}), { version, createdAt: undefined, fields: secretFields }, signal);
      return { injected, authorization: new Map(injected.headers).get("authorization") ?? "" };
    };
    return { inject };
  };
  const another = async () => {
    const own = await openState("sqlite", { dataDir: dir, clock: systemClock });
    own.useGeneration((await state.mark()).generation);
    closing.push(() => own.close());
    return own;
  };
  const refused = (call: Promise<unknown>, reason: string, sentence: RegExp) =>
    assert.rejects(call, (error: unknown) => {
      assert.ok(error instanceof Refusal, String(error));
      assert.equal(error.reason, reason, error.message);
      assert.match(error.message, sentence);
      assert.equal(error.metadata.effect, "none");
      assert.ok(!`${error.message}${JSON.stringify(error.metadata)}`.includes("canary"));
      return true;
    });

  describe("by OAuth, from a real issuer (oidc-provider)", () => {
    let asked: string[];
    let provider: InstanceType<typeof Provider>;
    let url: string;
    beforeEach(async () => {
      asked = [];
      let callback: ReturnType<InstanceType<typeof Provider>["callback"]> | undefined;
      const opened = await open((request, response) => {
        asked.push(`${request.method} ${request.url}`);
        void callback?.(request, response);
      });
      url = opened.url;
      provider = new Provider(url, {
        clients: [
          {
            client_id: "orders-agent",
            client_secret: secret,
            grant_types: ["client_credentials", "refresh_token", "authorization_code"],
            redirect_uris: ["https://localhost/callback"],
          },
        ],
        scopes: ["openid", "offline_access", "orders"],
        features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
        ttl: { ClientCredentials: 600, AccessToken: 600, RefreshToken: 3600, Grant: 3600 },
        rotateRefreshToken: true,
      } as ConstructorParameters<typeof Provider>[1]);
      callback = provider.callback();
    });
    const client = (more = "") => `{ oauth: { tokenUrl: "${url}/token", clientId: orders-agent, clientSecret: secret${more} } }`;
    const minted = () => asked.filter((line) => line === "POST /token").length;
    const refreshToken = async () => {
      const accountId = "corp-orders";
      const grant = new provider.Grant({ accountId, clientId: "orders-agent" });
      grant.addOIDCScope("offline_access orders");
      const token = new provider.RefreshToken({
        accountId,
        client: await provider.Client.find("orders-agent"),
        grantId: await grant.save(),
        scope: "offline_access orders",
        gty: "authorization_code",
      } as never);
      return token.save();
    };
    const known = async (authorization: string) => {
      const token = authorization.replace(/^Bearer /, "");
      return (await provider.ClientCredentials.find(token)) ?? (await provider.AccessToken.find(token));
    };

    it("with client credentials is good, is kept for many uses, and is shared by brokers", async () => {
      const one = await broker(client(", scope: orders"), { secret });
      const first = await one.inject();
      const token = await known(first.authorization);
      assert.equal(token?.scope, "orders");
      const many = await Promise.all(Array.from({ length: 10 }, () => one.inject()));
      const two = await broker(client(", scope: orders"), { secret }, await another());
      many.push(await two.inject());
      assert.ok(many.every(({ authorization }) => authorization === first.authorization));
      assert.equal(minted(), 1);
    });

    it("is fetched once where many uses and two brokers want it at the same time", async () => {
      const brokers = [await broker(client(), { secret }), await broker(client(), { secret }, await another())];
      const all = await Promise.all(brokers.flatMap(({ inject }) => Array.from({ length: 8 }, () => inject())));
      assert.equal(new Set(all.map(({ authorization }) => authorization)).size, 1);
      assert.equal(minted(), 1);
    });

    it("is another one for another version of the secret or other settings, and once it is about to end", async () => {
      const { inject } = await broker(client(), { secret });
      const scoped = await broker(client(", scope: orders"), { secret });
      const tokens = [await inject("1"), await inject("2"), await scoped.inject("1")].map(({ authorization }) => authorization);
      assert.equal(new Set(tokens).size, 3);
      ahead = 541_000;
      assert.notEqual((await inject("1")).authorization, tokens[0]);
      assert.equal(minted(), 4);
    });

    it("is to be masked before it is sent, and lies in state only sealed", async () => {
      const { inject } = await broker(client(), { secret });
      const { injected, authorization } = await inject();
      const token = authorization.replace(/^Bearer /, "");
      assert.deepEqual(
        injected.derived.map(({ what, value, once }) => [what, Buffer.from(value).toString(), once]),
        [["access-token", token, false]],
      );
      for (const file of readdirSync(dir)) assert.ok(!readFileSync(join(dir, file), "latin1").includes(token.slice(0, 12)), file);
    });

    it("by a refresh token that is replaced each time, is fetched with the newest, whichever broker has it", async () => {
      const refresh = await refreshToken();
      const settings = client(", refreshToken: refresh");
      const brokers = [await broker(settings, { secret, refresh }), await broker(settings, { secret, refresh }, await another())];
      const seen = new Set<string>();
      for (let round = 0; round < 4; round++) {
        const all = await Promise.all(brokers.flatMap(({ inject }) => [inject(), inject()]));
        assert.equal(new Set(all.map(({ authorization }) => authorization)).size, 1, `round ${round}`);
        assert.ok(await known(all[0]?.authorization ?? ""), `round ${round}`);
        seen.add(all[0]?.authorization ?? "");
        const whats = all[0]?.injected.derived.map(({ what }) => what);
        assert.deepEqual(whats, ["access-token", "refresh-token"]);
        ahead += 599_000;
      }
      assert.equal(seen.size, 4);
      assert.equal(minted(), 4);
    });

    it("by a refresh token is not lost where the state fails right after: the new one is kept, and saved with the next use", async () => {
      const refresh = await refreshToken();
      let failing = true;
      const flaky = new Proxy(state, {
        get: (real, name) => {
          const member = Reflect.get(real, name);
          if (name !== "create") return typeof member === "function" ? member.bind(real) : member;
          return (collection: string, ...rest: unknown[]) => {
            if (collection === "minted" && failing) throw new Refusal("STATE_UNAVAILABLE", "away");
            return (member as (...all: unknown[]) => unknown).call(real, collection, ...rest);
          };
        },
      });
      const one = await broker(client(", refreshToken: refresh"), { secret, refresh }, flaky);
      await assert.rejects(one.inject(), (error: unknown) => error instanceof Refusal && error.reason === "STATE_UNAVAILABLE");
      failing = false;
      const saved = await one.inject();
      assert.ok(await known(saved.authorization));
      assert.equal(minted(), 1, "the stored refresh token was spent once");
      const two = await broker(client(", refreshToken: refresh"), { secret, refresh }, await another());
      assert.equal((await two.inject()).authorization, saved.authorization);
      ahead = 599_000;
      assert.ok(await known((await two.inject()).authorization));
    });

    it("is put aside where the target does not take it, but not again and again", async () => {
      const { inject } = await broker(client(), { secret });
      const first = await inject();
      await first.injected.answered?.(401);
      assert.equal((await inject()).authorization, first.authorization, "too young: the token is not what is wrong");
      ahead = 11_000;
      await first.injected.answered?.(200);
      assert.equal((await inject()).authorization, first.authorization);
      await first.injected.answered?.(401);
      assert.notEqual((await inject()).authorization, first.authorization);
    });

    it("is refused with what the issuer says, without its words: nothing is sent to the target", async () => {
      const wrong = await broker(client(), { secret: "wrong-canary-4711" });
      await refused(wrong.inject(), "TARGET_UNAVAILABLE", /invalid_client|does not take the client's secret/);
      const spent = await broker(client(", refreshToken: refresh"), { secret, refresh: "spent-canary-4711" });
      await refused(spent.inject(), "TARGET_UNAVAILABLE", /invalid_grant/);
      const right = await broker(client(), { secret });
      assert.ok((await right.inject()).authorization);
    });

    it("is not waited for by whoever gave up, and is there for the others", async () => {
      const { inject } = await broker(client(), { secret });
      const gone = new AbortController();
      const [left, stayed] = [inject("1", { secret }, gone.signal), inject()];
      gone.abort(new Refusal("CANCELLED", "gone"));
      await assert.rejects(left, /gone/);
      assert.ok((await stayed).authorization);
    });
  });

  it("is not fetched where the token endpoint may not be dialled, redirects, or says what is no token", async () => {
    const answers: [number, Record<string, string>, string][] = [
      [302, { location: "http://127.0.0.1:1/" }, ""],
      [200, { "content-type": "application/json" }, '{"access_token":"canary\\r\\nx: y","token_type":"Bearer"}'],
      [200, { "content-type": "application/json" }, '{"access_token":"canary-4711","token_type":"mac"}'],
      [200, { "content-type": "text/html" }, "<p>canary</p>"],
      [400, { "content-type": "application/json" }, '{"error":"canary-4711-canary"}'],
      [500, {}, "canary"],
    ];
    for (const [status, headers, body] of answers) {
      const { url } = await open((_, response) => response.writeHead(status, headers).end(body));
      const { inject } = await broker(`{ oauth: { tokenUrl: "${url}/token", clientId: a, clientSecret: secret } }`, { secret });
      await refused(inject(), "TARGET_UNAVAILABLE", /Nothing was sent to the target/);
    }
    const metadata = await broker('{ oauth: { tokenUrl: "http://169.254.169.254/token", clientId: a, clientSecret: secret } }', { secret });
    await assert.rejects(metadata.inject(), (error: unknown) => error instanceof Refusal && error.reason === "DESTINATION_NOT_ALLOWED");
  });

  describe("for a GitHub App", () => {
    const keys = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs1", format: "pem" },
    });
    /** GitHub's side: the JWT's rules are those of its documentation. */
    const github = async () => {
      const asked: { url: string; body: unknown; claims: Record<string, unknown> }[] = [];
      const opened = await open(async (request, response) => {
        try {
          const jwt = request.headers.authorization?.replace(/^Bearer /, "") ?? "";
          const { payload } = await jwtVerify(jwt, await importSPKI(keys.publicKey, "RS256"), {
            issuer: "12345",
            algorithms: ["RS256"],
            maxTokenAge: 660,
            currentDate: new Date(clock.now()),
          });
          if ((payload.exp ?? 0) - (payload.iat ?? 0) > 600) throw new Error("too long");
          const body: Buffer[] = [];
          for await (const piece of request) body.push(piece);
          asked.push({ url: request.url ?? "", body: JSON.parse(Buffer.concat(body).toString()), claims: payload });
          response.writeHead(201, { "content-type": "application/json" });
          response.end(JSON.stringify({ token: `ghs_canary${asked.length}`, expires_at: new Date(clock.now() + 3_600_000).toISOString() }));
        } catch {
          response.writeHead(401).end('{"message":"canary"}');
        }
      });
      return { ...opened, asked };
    };

    it("is fetched with a JWT that its key signs, narrowed as configured, and kept for its hour", async () => {
      const { url, asked } = await github();
      const settings = `{ githubApp: { apiUrl: "${url}", appId: "12345", installationId: "77", privateKey: key, repositories: [shop], permissions: { contents: read } } }`;
      const { inject } = await broker(settings, { key: keys.privateKey });
      assert.equal((await inject()).authorization, "Bearer ghs_canary1");
      assert.equal((await inject()).authorization, "Bearer ghs_canary1");
      assert.deepEqual(
        asked.map(({ url, body }) => [url, body]),
        [["/app/installations/77/access_tokens", { repositories: ["shop"], permissions: { contents: "read" } }]],
      );
      ahead = 3_545_000;
      assert.equal((await inject()).authorization, "Bearer ghs_canary2");
    });

    it("goes to git as it wants it, and its pair is masked too", async () => {
      const { url } = await github();
      const { inject } = await broker(
        `{ githubApp: { apiUrl: "${url}", appId: "12345", installationId: "77", privateKey: key, as: basic } }`,
        { key: keys.privateKey },
      );
      const { authorization, injected } = await inject();
      assert.equal(authorization, `Basic ${Buffer.from("x-access-token:ghs_canary1").toString("base64")}`);
      assert.deepEqual(
        injected.derived.map(({ value }) => Buffer.from(value).toString()),
        ["ghs_canary1", "x-access-token:ghs_canary1"],
      );
    });

    it("is refused where the key is none, or another's", async () => {
      const { url } = await github();
      const settings = `{ githubApp: { apiUrl: "${url}", appId: "12345", installationId: "77", privateKey: key } }`;
      const ec = generateKeyPairSync("ec", {
        namedCurve: "P-256",
        privateKeyEncoding: { type: "pkcs8", format: "pem" },
        publicKeyEncoding: { type: "spki", format: "pem" },
      });
      const other = generateKeyPairSync("rsa", {
        modulusLength: 2048,
        privateKeyEncoding: { type: "pkcs8", format: "pem" },
        publicKeyEncoding: { type: "spki", format: "pem" },
      });
      for (const key of ["no key", ec.privateKey]) await refused((await broker(settings, { key })).inject(), "STORE_UNAVAILABLE", /"key"/);
      await refused((await broker(settings, { key: other.privateKey })).inject(), "TARGET_UNAVAILABLE", /status 401/);
    });
  });
});
