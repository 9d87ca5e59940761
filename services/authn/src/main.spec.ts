import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type DescMethod, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ChannelCredentials } from "@grpc/grpc-js";
import {
  Action,
  Binding,
  Decision,
  DecisionService,
  DelegationService,
  JournalService,
  Refusal,
  RevocationService,
  TokenService,
} from "@sallyport/contracts";
import { ceilingToWire, ProofMaker, rotateSigningKeys, sha256 } from "@sallyport/identity";
import {
  type CallOptions,
  formatAddress,
  GrpcChannel,
  type Host,
  initKeys,
  keysFolder,
  parseConfig,
  type RunningProcess,
  runProcess,
} from "@sallyport/service";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { pino } from "pino";
import { ceiling, idToken, mayDelegate, refuses } from "./authn.fixture.ts";
import { metadataPath } from "./http/metadata.ts";
import { start } from "./main.ts";
import { LoopbackIssuer } from "./trust/loopback-issuer.fixture.ts";

const audience = "https://test.internal";

describe("authn, started", () => {
  let dataDir: string;
  let issuer: LoopbackIssuer;
  let running: RunningProcess;
  const channels: GrpcChannel[] = [];
  const logged: string[] = [];

  before(async () => {
    dataDir = mkdtempSync(join(tmpdir(), "sallyport-authn-"));
    await initKeys({ dataDir, trustDomain: "test.internal" });
    issuer = await LoopbackIssuer.open();
    running = await run();
    await until(() => running.health().authn?.ok === true);
  });
  after(async () => {
    for (const channel of channels) channel.close();
    await running.stop();
    await issuer.close();
    rmSync(dataDir, { recursive: true });
  });

  const run = () => {
    const doors = "{ agents: 127.0.0.1:0, agentsMtls: 127.0.0.1:0, peers: 127.0.0.1:0, edge: 127.0.0.1:0, ops: 127.0.0.1:0 }";
    const provider = `{ name: corp, issuer: "${issuer.url}", audience: sallyport, algorithms: [ES256], groups: { claim: groups }, network: [127.0.0.0/8] }`;
    const config = parseConfig(
      `version: 1\ntrustDomain: test.internal\ndataDir: ${dataDir}\nlisten: ${doors}\ntrust: { oidc: [${provider}] }\n`,
      "sallyport.yaml",
    );
    const log = pino({ level: "debug" }, { write: (line: string) => void logged.push(line) });
    return runProcess({
      config,
      roles: ["authn", "pdp", "broker", "audit"],
      version: "0.0.0-test",
      log,
      load: async (role) => ({ start: role === "authn" ? start : standIn }),
    });
  };

  const agentDoor = (identity?: { key: Buffer; certificate: Buffer }) => {
    const credentials = ChannelCredentials.createSsl(
      readFileSync(join(keysFolder(dataDir), "services-ca.crt")),
      identity?.key ?? null,
      identity?.certificate ?? null,
    );
    const door = identity === undefined ? "agents" : "agentsMtls";
    const channel = new GrpcChannel(formatAddress(running.addresses[door] ?? { host: "none", port: 0 }), {
      credentials,
      options: { "grpc.ssl_target_name_override": "localhost" },
    });
    channels.push(channel);
    return channel;
  };

  const signIn = async (maker: ProofMaker, more: MessageInitShape<typeof TokenService.method.exchange.input> = {}) => {
    const tokens = agentDoor().client(TokenService);
    const request = { subjectToken: await issuer.token({ jti: crypto.randomUUID() }), subjectTokenType: idToken, ...more };
    const { credential } = await proven(tokens.exchange, TokenService.method.exchange, maker, request);
    assert.ok(credential);
    return credential;
  };

  it("carries release → deploy from a person's token to a revoked subtree", async () => {
    const channel = agentDoor();
    const [tokens, delegation, revocation] = [
      channel.client(TokenService),
      channel.client(DelegationService),
      channel.client(RevocationService),
    ];
    const [parent, child] = [ProofMaker.generate(), ProofMaker.generate("EdDSA")];
    const release = await signIn(parent, { agentName: "release", ceiling: ceilingToWire(mayDelegate) });
    const order = { childThumbprint: child.thumbprint, agentName: "deploy", ceiling: ceilingToWire(ceiling([Action.USE])) };
    const { ticket, sessionId } = await proven(delegation.issueTicket, DelegationService.method.issueTicket, parent, order, release.token);
    const { credential: deploy } = await proven(delegation.redeemTicket, DelegationService.method.redeemTicket, child, { ticket });
    const me = await proven(tokens.whoAmI, TokenService.method.whoAmI, child, {}, deploy?.token);
    assert.deepEqual(
      me.chain?.links.map(({ id }) => id),
      ["corp/alice", "corp/alice#release", "corp/alice#release/deploy"],
    );
    assert.equal(me.thumbprint, child.thumbprint);
    assert.deepEqual(me.sessionEndsAt, deploy?.sessionEndsAt);
    assert.ok(timestampMs(me.sessionEndsAt!) > timestampMs(me.expiresAt!), "a session outlives its credential");
    assert.ok(timestampMs(me.sessionEndsAt!) <= timestampMs(release.sessionEndsAt!), "and never its parent's");
    await proven(tokens.renew, TokenService.method.renew, child, {}, deploy?.token);

    await proven(
      revocation.revoke,
      RevocationService.method.revoke,
      parent,
      { subject: { case: "sessionId", value: sessionId } },
      release.token,
    );
    await untilRefused("CREDENTIAL_REVOKED", () => proven(tokens.whoAmI, TokenService.method.whoAmI, child, {}, deploy?.token));
    await refuses("CREDENTIAL_REVOKED", proven(tokens.renew, TokenService.method.renew, child, {}, deploy?.token));
  });

  it("lets a narrowed agent's child renew inside the new ceiling, though its credential is dead", async () => {
    const channel = agentDoor();
    const [tokens, delegation] = [channel.client(TokenService), channel.client(DelegationService)];
    const [parent, child] = [ProofMaker.generate(), ProofMaker.generate()];
    const release = await signIn(parent, { agentName: "release", ceiling: ceilingToWire(mayDelegate) });
    const order = { childThumbprint: child.thumbprint, agentName: "deploy", ceiling: ceilingToWire(mayDelegate) };
    const { ticket } = await proven(delegation.issueTicket, DelegationService.method.issueTicket, parent, order, release.token);
    const { credential: deploy } = await proven(delegation.redeemTicket, DelegationService.method.redeemTicket, child, { ticket });
    const narrow = ceilingToWire(ceiling([Action.READ]));
    await proven(tokens.renew, TokenService.method.renew, parent, { ceiling: narrow }, release.token);
    await untilRefused("CREDENTIAL_REVOKED", () => proven(tokens.whoAmI, TokenService.method.whoAmI, child, {}, deploy?.token));
    await refuses("DELEGATION_EXCEEDED", proven(tokens.renew, TokenService.method.renew, child, {}, deploy?.token));
    const { credential: renewed } = await proven(tokens.renew, TokenService.method.renew, child, { ceiling: narrow }, deploy?.token);
    await proven(tokens.whoAmI, TokenService.method.whoAmI, child, {}, renewed?.token);
  });

  it("refuses an exchange without a proof, and hands out a nonce", async () => {
    const answered = new Map<string, string>();
    const onHeaders = (headers: ReadonlyMap<string, string>) => {
      for (const [name, value] of headers) answered.set(name, value);
    };
    await refuses("PROOF_REQUIRED", agentDoor().client(TokenService).exchange({ subjectToken: "x" }, { onHeaders }));
    assert.ok(answered.get("dpop-nonce"));
  });

  it("takes a certificate-bound credential at the door for certificates", async () => {
    const maker = ProofMaker.generate();
    const bound = await signIn(maker, { binding: Binding.MTLS });
    const key = Buffer.from(maker.privateKey.export({ type: "pkcs8", format: "pem" }));
    const channel = agentDoor({ key, certificate: Buffer.from(bound.certificateChainPem) });
    const headers = { authorization: `Bearer ${bound.token}` };
    const me = await channel.client(TokenService).whoAmI({}, { headers });
    assert.equal(me.chain?.links[0]?.id, "corp/alice");
    const { credential } = await channel.client(TokenService).renew({}, { headers });
    assert.match(credential?.certificateChainPem ?? "", /BEGIN CERTIFICATE/);
    await refuses("UNAUTHENTICATED", agentDoor().client(TokenService).whoAmI({}, { headers }));
  });

  describe("by HTTP", () => {
    const base = () => `http://${formatAddress(running.addresses.edge ?? { host: "none", port: 0 })}`;
    const grantType = "urn:ietf:params:oauth:grant-type:token-exchange";
    const post = async (name: string, body: string, maker = ProofMaker.generate(), credential?: string) => {
      for (let tries = 0; ; tries++) {
        const dpop = maker.prove({ htu: `${audience}/oauth/${name}`, request: Buffer.from(body), credential });
        const headers = {
          "content-type": "application/x-www-form-urlencoded",
          dpop,
          ...(credential === undefined ? {} : { authorization: `DPoP ${credential}` }),
        };
        const response = await fetch(`${base()}/oauth/${name}`, { method: "POST", body, headers });
        const answer = (await response.json()) as Record<string, unknown>;
        const nonce = response.headers.get("dpop-nonce");
        if (answer.error === "use_dpop_nonce" && nonce !== null && tries === 0) maker.remember(nonce);
        else return { status: response.status, headers: response.headers, answer };
      }
    };
    const exchange = async (more: Record<string, string> = {}, maker?: ProofMaker) => {
      const subject_token = await issuer.token({ jti: crypto.randomUUID() });
      return post(
        "token",
        new URLSearchParams({ grant_type: grantType, subject_token, subject_token_type: idToken, ...more }).toString(),
        maker,
      );
    };

    it("exchanges a token (RFC 8693)", async () => {
      const { status, headers, answer } = await exchange();
      assert.equal(status, 200, JSON.stringify(answer));
      assert.equal(answer.token_type, "DPoP");
      assert.equal(answer.issued_token_type, "urn:ietf:params:oauth:token-type:access_token");
      assert.ok((answer.expires_in as number) > 500);
      assert.equal(headers.get("cache-control"), "no-store");
    });

    it("gives an agent the ceiling of its authorization_details (RFC 9396), and refuses unknown ones", async () => {
      const details = (detail: object) =>
        JSON.stringify([{ type: "sallyport", actions: ["use"], secrets: ["prod/*"], targets: ["*"], ...detail }]);
      const maker = ProofMaker.generate();
      assert.equal((await exchange({ agent_name: "release", authorization_details: details({}) }, maker)).status, 200);
      for (const detail of [{ type: "other" }, { actions: ["fly"] }, { more: 1 }, { secrets: [] }, { secrets: "prod/*" }]) {
        const { status, answer } = await exchange({ agent_name: "release", authorization_details: details(detail) });
        assert.deepEqual([status, answer.error], [400, "invalid_authorization_details"]);
      }
      const { status, answer } = await exchange({ agent_name: "release" });
      assert.deepEqual([status, answer.error], [400, "invalid_request"]);
    });

    describe("TOKN-03: a missing, empty or repeated parameter", () => {
      it("is an error, and so is every scope", async () => {
        const token = await issuer.token({ jti: "tokn-03" });
        const good = `grant_type=${encodeURIComponent(grantType)}&subject_token_type=${encodeURIComponent(idToken)}`;
        for (const [body, error] of [
          [good, "invalid_request"],
          [`${good}&subject_token=`, "invalid_request"],
          [`${good}&subject_token=${token}&subject_token=${token}`, "invalid_request"],
          [`${good}&subject_token=${token}&scope=secret:read%20secret:admin`, "invalid_scope"],
          [`${good}&subject_token=${token}&scope=`, "invalid_request"],
          [`${good}&subject_token=${token}&audience=https://other.example`, "invalid_target"],
          [`${good}&subject_token=${token}&resource=https://other.example`, "invalid_target"],
          [`${good}&subject_token=${token}&actor_token=${token}`, "invalid_request"],
          [`${good}&subject_token=${token}&requested_token_type=urn:ietf:params:oauth:token-type:refresh_token`, "invalid_request"],
          [`subject_token=${token}`, "invalid_request"],
          [`grant_type=client_credentials&subject_token=${token}`, "unsupported_grant_type"],
        ] as const) {
          const { status, answer } = await post("token", body);
          assert.deepEqual([status, answer.error], [400, error], body.replaceAll(token, "…"));
        }
        assert.equal((await post("token", `${good}&subject_token=${token}&audience=${audience}`)).status, 200);
      });
    });

    describe("renewing a credential", () => {
      const accessToken = "urn:ietf:params:oauth:token-type:access_token";
      const renew = (subject_token: string, maker: ProofMaker, more: Record<string, string> = {}) =>
        post(
          "token",
          new URLSearchParams({ grant_type: grantType, subject_token, subject_token_type: accessToken, ...more }).toString(),
          maker,
        );
      const details = (...actions: string[]) => JSON.stringify([{ type: "sallyport", actions, secrets: ["prod/*"], targets: ["*"] }]);

      it("gives its holder the next one, of the same session, and a narrower one where that is asked for", async () => {
        const maker = ProofMaker.generate();
        const first = (await exchange({ agent_name: "release", authorization_details: details("use", "read") }, maker)).answer;
        const { status, answer } = await renew(first.access_token as string, maker);
        assert.equal(status, 200, JSON.stringify(answer));
        assert.equal(answer.token_type, "DPoP");
        const claims = [first, answer].map(({ access_token }) => decodeJwt(access_token as string));
        assert.equal(claims[0]?.sid, claims[1]?.sid);
        assert.notEqual(claims[0]?.jti, claims[1]?.jti);
        const narrower = await renew(answer.access_token as string, maker, { authorization_details: details("read") });
        assert.deepEqual(decodeJwt(narrower.answer.access_token as string).authorization_details, JSON.parse(details("read")));
        const wider = await renew(narrower.answer.access_token as string, maker, { authorization_details: details("use") });
        assert.deepEqual([wider.status, wider.answer.reason], [403, "DELEGATION_EXCEEDED"]);
      });

      it("is refused to another key, for what is no credential, and where more than that is asked", async () => {
        const maker = ProofMaker.generate();
        const token = (await exchange({}, maker)).answer.access_token as string;
        for (const [what, refused] of [
          ["PROOF_INVALID", () => renew(token, ProofMaker.generate())],
          ["UNAUTHENTICATED", () => renew(`${token.slice(0, -4)}AAAA`, maker)],
          ["INVALID_REQUEST", () => renew(token, maker, { binding: "mtls" })],
          ["INVALID_REQUEST", () => renew(token, maker, { agent_name: "other" })],
        ] as const)
          assert.equal((await refused()).answer.reason, what);
        assert.equal((await renew(token, maker)).status, 200);
      });
    });

    it("binds a credential to a client certificate where that is asked for (RFC 8705), good at the door for certificates", async () => {
      const maker = ProofMaker.generate();
      const { status, answer } = await exchange({ binding: "mtls" }, maker);
      assert.equal(status, 200, JSON.stringify(answer));
      assert.equal(answer.token_type, "Bearer");
      const key = Buffer.from(maker.privateKey.export({ type: "pkcs8", format: "pem" }));
      const channel = agentDoor({ key, certificate: Buffer.from(answer.certificate_chain as string) });
      const me = await channel.client(TokenService).whoAmI({}, { headers: { authorization: `Bearer ${answer.access_token}` } });
      assert.equal(me.chain?.links[0]?.id, "corp/alice");
      assert.equal((await exchange({ binding: "none" })).answer.error, "invalid_request");
      assert.equal((await exchange({ binding: "dpop" })).answer.token_type, "DPoP");
    });

    it("answers a bad subject token as RFC 8693 §2.2.2 asks", async () => {
      const { status, answer } = await exchange({ subject_token: await issuer.token({ aud: "other" }) });
      assert.deepEqual([status, answer.error, answer.reason], [400, "invalid_request", "UNAUTHENTICATED"]);
      assert.match(answer.error_description as string, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
    });

    it("introspects one's own credential and says nothing of another's; revokes it", async () => {
      const [maker, other] = [ProofMaker.generate(), ProofMaker.generate()];
      const mine = (await exchange({}, maker)).answer.access_token as string;
      const theirs = (await exchange({}, other)).answer.access_token as string;
      const ask = (token: string) => post("introspect", new URLSearchParams({ token }).toString(), maker, mine);
      const { answer } = await ask(mine);
      assert.deepEqual([answer.active, answer.sub], [true, "corp/alice"]);
      assert.deepEqual((await ask(theirs)).answer, { active: false });
      assert.deepEqual((await ask("nonsense")).answer, { active: false });
      assert.equal((await post("revoke", new URLSearchParams({ token: "nonsense" }).toString(), maker, mine)).status, 200);
      assert.equal((await post("revoke", new URLSearchParams({ token: mine }).toString(), maker, mine)).status, 200);
      await until(async () => (await ask(mine)).status === 401);
      const { status, headers } = await post("introspect", "token=x");
      assert.equal(status, 401);
      assert.match(headers.get("www-authenticate") ?? "", /^DPoP error="invalid_token"/);
    });

    it("publishes its metadata (RFC 8414) and keys", async () => {
      const metadata = (await (await fetch(`${base()}/.well-known/oauth-authorization-server`)).json()) as Record<string, unknown>;
      assert.equal(metadata.issuer, audience);
      assert.equal(metadata.token_endpoint, `${audience}/oauth/token`);
      assert.deepEqual([metadata.device_authorization_endpoint, metadata.response_types_supported], [undefined, []]);
      assert.equal(metadataPath("https://example.internal/sallyport/"), "/.well-known/oauth-authorization-server/sallyport");
      assert.equal(metadataPath("https://example.internal"), "/.well-known/oauth-authorization-server");
      const { keys } = (await (await fetch(`${base()}/oauth/jwks`)).json()) as { keys: Record<string, unknown>[] };
      assert.equal(keys[0]?.alg, "ES256");
      assert.ok(!("d" in (keys[0] ?? {})));
    });
  });

  it("keeps sessions and the epoch over a restart", async () => {
    const maker = ProofMaker.generate();
    const { token } = await signIn(maker);
    await running.stop();
    running = await run();
    await until(() => running.health().authn?.ok === true);
    await proven(agentDoor().client(TokenService).renew, TokenService.method.renew, maker, {}, token);
  });

  describe("when its signing key is rotated", () => {
    const file = () => join(keysFolder(dataDir), "credential.jwk");
    const kidOf = (token: string) => decodeProtectedHeader(token).kid;
    const publishedKids = async () => {
      const response = await fetch(`http://${formatAddress(running.addresses.edge ?? { host: "none", port: 0 })}/oauth/jwks`);
      return ((await response.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
    };
    const whoAmI = (maker: ProofMaker, token: string) =>
      proven(agentDoor().client(TokenService).whoAmI, TokenService.method.whoAmI, maker, {}, token);
    const renew = (maker: ProofMaker, token: string) =>
      proven(agentDoor().client(TokenService).renew, TokenService.method.renew, maker, {}, token);

    it("publishes old and new, signs with the new one in time, and takes credentials of both, without a restart", async function () {
      this.timeout(20_000);
      const maker = ProofMaker.generate();
      const before = await signIn(maker);
      const { text, kid } = rotateSigningKeys(readFileSync(file(), "utf8"), { now: Date.now(), signsIn: 3, keptFor: 3600 });
      writeFileSync(file(), text);
      await until(async () => (await publishedKids()).includes(kid));
      assert.deepEqual(await publishedKids(), [kidOf(before.token), kid]);
      assert.equal(kidOf((await signIn(ProofMaker.generate())).token), kidOf(before.token), "not before its time");
      await until(async () => kidOf((await signIn(ProofMaker.generate())).token) === kid);
      await whoAmI(maker, before.token);
      const { credential } = await renew(maker, before.token);
      assert.equal(kidOf(credential?.token ?? ""), kid);
      await whoAmI(maker, credential?.token ?? "");
    });

    it("stays with the keys that it has where the file is damaged, and says so", async () => {
      const [good, kids] = [readFileSync(file(), "utf8"), await publishedKids()];
      for (const bad of ["{", JSON.stringify({ ...JSON.parse(good), state_secret: Buffer.alloc(32, 1).toString("base64url") })]) {
        logged.length = 0;
        writeFileSync(file(), bad);
        await until(() => logged.some((line) => line.includes("stay in use")));
        assert.deepEqual(await publishedKids(), kids);
        const maker = ProofMaker.generate();
        await whoAmI(maker, (await signIn(maker)).token);
      }
      writeFileSync(file(), good);
      assert.ok(!logged.join("").includes(JSON.parse(good).state_secret));
    });

    it("TOKN-09: a credential whose key was taken away is refused, though it was verified a moment ago; one of the other key is not", async function () {
      this.timeout(20_000);
      const [maker, other] = [ProofMaker.generate(), ProofMaker.generate()];
      const gone = await signIn(maker);
      await whoAmI(maker, gone.token);
      const good = JSON.parse(readFileSync(file(), "utf8"));
      const { text, kid } = rotateSigningKeys(JSON.stringify(good), { now: Date.now(), signsIn: 1, keptFor: 3600 });
      writeFileSync(file(), text);
      await until(async () => kidOf((await signIn(other)).token) === kid);
      const stays = await signIn(other);
      const set = JSON.parse(text);
      writeFileSync(file(), JSON.stringify({ ...set, keys: set.keys.filter((key: { kid: string }) => key.kid === kid) }));
      await untilRefused("UNAUTHENTICATED", () => whoAmI(maker, gone.token), 4000);
      await refuses("UNAUTHENTICATED", renew(maker, gone.token), /does not publish/);
      await whoAmI(other, stays.token);
    });
  });

  it("wrote no token, ticket or proof into a log or a record", async () => {
    const maker = ProofMaker.generate();
    const { token } = await signIn(maker);
    const written =
      logged.join("\n") +
      readdirSync(join(dataDir, "authn", "journal")).map((file) => readFileSync(join(dataDir, "authn", "journal", file), "latin1"));
    for (const text of [token, token.split(".")[2] as string, sha256(token)]) assert.ok(!written.includes(text));
    // Any JWT: two JSON objects in base64url, parted by a dot. Three letters alone come up by chance in ids and hashes.
    assert.doesNotMatch(written, /eyJ[A-Za-z0-9_-]+\.eyJ/);
  });
});

/** A PDP that allows all, and an audit service that takes nothing in. */
async function standIn({ role, listeners }: Host) {
  if (role === "pdp") {
    const check = async () => ({ decision: Decision.ALLOW, reason: "ALLOWED", sentence: "Allowed.", policyVersion: "v1" });
    listeners.peers.serve(DecisionService, { check }, { roles: ["authn"] });
  }
  if (role === "audit") {
    const ship = async function* (_requests: unknown, call: { signal: AbortSignal }) {
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
    };
    listeners.peers.serve(JournalService, { ship, prove: async () => ({}) }, { roles: ["authn"] });
  }
  return { name: role, ready: () => ({ ok: true as const }), stop: async () => undefined };
}

/** Calls with a proof, and again with the nonce that the first answer gives. */
async function proven<M extends DescMethod>(
  call: (input: MessageInitShape<M["input"]>, options?: CallOptions) => Promise<MessageShape<M["output"]>>,
  method: M,
  maker: ProofMaker,
  input: MessageInitShape<M["input"]>,
  credential?: string,
): Promise<MessageShape<M["output"]>> {
  const request = toBinary(method.input, create(method.input, input));
  const onHeaders = (headers: ReadonlyMap<string, string>) => {
    const nonce = headers.get("dpop-nonce");
    if (nonce !== undefined) maker.remember(nonce);
  };
  for (let tries = 0; ; tries++) {
    const htu = `${audience}/${method.parent.typeName}/${method.name}`;
    const dpop = maker.prove({ htu, request, credential });
    const headers = { dpop, ...(credential === undefined ? {} : { authorization: `DPoP ${credential}` }) };
    try {
      return await call(input, { headers, onHeaders });
    } catch (error) {
      if (!(error instanceof Refusal) || error.reason !== "PROOF_REQUIRED" || tries > 0) throw error;
    }
  }
}

async function until(holds: () => boolean | Promise<boolean>, withinMs = 5000): Promise<void> {
  for (const end = performance.now() + withinMs; !(await holds()); ) {
    assert.ok(performance.now() < end, "it never came to be so");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function untilRefused(reason: string, call: () => Promise<unknown>, withinMs = 1000): Promise<void> {
  await until(
    () =>
      call().then(
        () => false,
        (error: Refusal) => error.reason === reason,
      ),
    withinMs,
  );
}
