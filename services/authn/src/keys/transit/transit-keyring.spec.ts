import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Action } from "@sallyport/contracts";
import {
  CredentialKeys,
  ceilingOf,
  chainOf,
  credentialClaims,
  newSessionId,
  sha256,
  signCredential,
  verifyCredential,
} from "@sallyport/identity";
import { parseConfig, type TransitKey } from "@sallyport/service";
import { decodeProtectedHeader } from "jose";
import { describeWith, openbao } from "../../../../../test/support/servers.ts";
import { refuses } from "../../authn.fixture.ts";
import { TransitKeyring } from "./transit-keyring.ts";

const audience = "https://example.internal";
const tokenVariable = "SALLYPORT_SPEC_TRANSIT_TOKEN";

describeWith("the credential key in OpenBao's transit engine", { vault: openbao }, ({ vault }) => {
  const clock = { now: () => Date.now() };
  const changes: (readonly string[])[] = [];
  const opened: TransitKeyring[] = [];
  const logged: string[] = [];

  before(async () => {
    await vault().api("POST", "sys/mounts/transit", { type: "transit" });
    await vault().api("POST", "transit/keys/credentials", { type: "ecdsa-p256" });
    await vault().api("PUT", "sys/policies/acl/authn", {
      policy:
        'path "transit/keys/credentials" { capabilities = ["read"] }\npath "transit/sign/credentials/*" { capabilities = ["update"] }',
    });
  });
  afterEach(() => {
    for (const keyring of opened.splice(0)) keyring.stop();
    delete process.env[tokenVariable];
  });

  const newToken = async (policy = "authn") => {
    const { auth } = (await vault().api("POST", "auth/token/create", { policies: [policy], no_default_policy: true })) as {
      auth: { client_token: string };
    };
    process.env[tokenVariable] = auth.client_token;
    return auth.client_token;
  };
  const open = async (more: Partial<TransitKey> = {}) => {
    const config = {
      address: vault().address,
      mount: "transit",
      key: "credentials",
      signsAfterSeconds: 2,
      auth: { token: `env:${tokenVariable}` },
      network: ["127.0.0.0/8"],
      ...more,
    };
    const log = { info: () => undefined, error: (facts: object) => void logged.push(JSON.stringify(facts)) };
    const keyring = new TransitKeyring(config as TransitKey, { clock, onChange: async (kids) => changes.push(kids), log });
    opened.push(keyring);
    await keyring.look();
    return keyring;
  };
  const kidsOf = (keyring: TransitKeyring) => JSON.parse(keyring.jwks()).keys.map(({ kid }: { kid: string }) => kid) as string[];
  const issue = (keyring: TransitKeyring) => {
    const second = Math.floor(Date.now() / 1000);
    const chain = chainOf([{ id: "corp/alice", kind: "person", sid: newSessionId() }]);
    const claims = credentialClaims({
      issuer: audience,
      audience,
      chain,
      sessionStarts: [second],
      ceiling: ceilingOf([{ actions: [Action.USE], secrets: ["*"], targets: ["*"] }]),
      binding: { kind: "dpop", thumbprint: sha256("a key") },
      issuedAt: second,
      expiresAt: second + 60,
      sessionEndsAt: second + 3600,
      epoch: 1,
    });
    return signCredential(claims, keyring.signer());
  };
  const verify = (token: string, keyring: TransitKeyring) =>
    verifyCredential(token, { keys: CredentialKeys.parse(keyring.jwks()), issuer: audience, audience, now: Date.now() }).kind;

  it("signs credentials that verify by the published keys, at every authn, and on record", async () => {
    await newToken();
    const [one, other] = [await open(), await open()];
    assert.equal(one.jwks(), other.jwks());
    const token = await issue(one);
    assert.equal(decodeProtectedHeader(token).kid, kidsOf(one)[0]);
    assert.equal(verify(token, other), "verified");
    assert.deepEqual(changes.at(-1), kidsOf(one));
    assert.equal(verify(`${token.slice(0, -4)}AAAA`, one), "refused");
  });

  it("rotates with overlap and without a restart, and an old version goes when it is taken away", async () => {
    await newToken();
    const keyring = await open();
    const [first] = kidsOf(keyring);
    const old = await issue(keyring);
    await vault().api("POST", "transit/keys/credentials/rotate");
    await keyring.look();
    const [, second] = kidsOf(keyring);
    assert.deepEqual(kidsOf(keyring), [first, second]);
    assert.equal(keyring.signer().kid, first, "published before it signs");
    await sleep(2_100);
    assert.equal(keyring.signer().kid, second);
    assert.equal(verify(old, keyring), "verified");
    assert.equal(verify(await issue(keyring), keyring), "verified");
    await vault().api("POST", "transit/keys/credentials/config", { min_decryption_version: 2 });
    await keyring.look();
    assert.deepEqual(kidsOf(keyring), [second]);
    assert.equal(verify(old, keyring), "refused");
  });

  it("signs in again where its token was revoked, and refuses with what to look at where it may not", async () => {
    const token = await newToken();
    const keyring = await open();
    await vault().api("POST", "auth/token/revoke", { token });
    await newToken();
    assert.equal(verify(await issue(keyring), keyring), "verified");
    await newToken("default");
    await vault().api("POST", "auth/token/revoke", { token });
    const denied = await open();
    assert.equal(denied.jwks(), "");
    assert.throws(() => denied.signer(), { reason: "STORE_UNAVAILABLE" });
    assert.ok(!logged.join().includes(token) && !logged.join().includes(process.env[tokenVariable] ?? "none"));
  });

  it("signs in by AppRole", async () => {
    await vault().api("POST", "sys/auth/approle", { type: "approle" });
    await vault().api("POST", "auth/approle/role/authn", { token_policies: ["authn"] });
    const { data: role } = (await vault().api("GET", "auth/approle/role/authn/role-id")) as { data: { role_id: string } };
    const { data: made } = (await vault().api("POST", "auth/approle/role/authn/secret-id")) as { data: { secret_id: string } };
    process.env[`${tokenVariable}_ROLE`] = role.role_id;
    process.env[`${tokenVariable}_SECRET`] = made.secret_id;
    const approle = { roleId: `env:${tokenVariable}_ROLE`, secretId: `env:${tokenVariable}_SECRET`, mount: "approle" };
    const keyring = await open({ auth: { approle } as TransitKey["auth"] });
    assert.equal(verify(await issue(keyring), keyring), "verified");
    delete process.env[`${tokenVariable}_ROLE`];
    delete process.env[`${tokenVariable}_SECRET`];
  });

  it("refuses a key of another type, and an address that configuration does not open", async () => {
    await newToken();
    await vault().api("POST", "transit/keys/other", { type: "ed25519" });
    process.env[tokenVariable] = vault().token;
    assert.equal((await open({ key: "other" })).jwks(), "");
    assert.equal((await open({ network: [] })).jwks(), "");
  });

  it("nothing listens: refuses in time; what was signed verifies on", async () => {
    await newToken();
    const keyring = await open();
    const token = await issue(keyring);
    const jwks = keyring.jwks();
    const gone = await open({ address: "http://127.0.0.1:1" });
    assert.equal(gone.jwks(), "");
    await refuses("STORE_UNAVAILABLE", (async () => issue(gone))());
    assert.equal(keyring.jwks(), jwks);
    assert.equal(verify(token, keyring), "verified");
  });

  it("is configured under authn.signingKey, where a typo is refused", () => {
    const parse = (openbao: string) =>
      parseConfig(`version: 1\ntrustDomain: a.b\nauthn: { signingKey: { openbao: ${openbao} } }\n`, "x.yaml");
    const { signingKey } = parse("{ address: https://bao.internal, key: credentials, auth: { token: env:T } }").authn;
    assert.deepEqual([signingKey?.openbao.mount, signingKey?.openbao.signsAfterSeconds], ["transit", 120]);
    for (const wrong of [
      "{ address: https://bao.internal, auth: { token: env:T } }",
      "{ address: https://bao.internal, key: a/b, auth: { token: env:T } }",
      "{ address: https://bao.internal, key: a, auth: {} }",
      "{ address: https://bao.internal, key: a, auth: { token: s.secret } }",
      "{ address: https://bao.internal, key: a, auth: { token: env:T }, mont: x }",
    ])
      assert.throws(() => parse(wrong));
  });
});
