import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ConfigError, parseConfig } from "@sallyport/service";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { idToken, refuses, ShiftedClock } from "../authn.fixture.ts";
import { providerOf } from "./configured-providers.ts";
import { TrustProviders } from "./trust-providers.ts";

type Tokens = Record<string, unknown>;

const head = "version: 1\ntrustDomain: example.internal\n";
const corp = "    - { name: corp, issuer: https://corp.example, audience: x, algorithms: [ES256] }\n";

/** A vendor's page: its example of a configuration, of a token, and of who that is. */
function pageOf(profile: string) {
  const text = readFileSync(new URL(`../../../../docs/identity-providers/${profile}.md`, import.meta.url), "utf8");
  const yaml = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
  const [claims, expected] = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json = ""]) => JSON.parse(json));
  return { yaml, claims: claims as Tokens, expected: expected as { principal: string; groups: string[]; owner?: string } };
}

/** As authn has it, with keys of our own instead of the vendor's. */
async function trusting(yaml: string) {
  const [first] = parseConfig(`${head}${yaml}${yaml.includes("provider: corp") ? corp : ""}`, "sallyport.yaml").trust.oidc;
  assert.ok(first);
  const provider = { ...providerOf(first), jwksUri: "https://keys.example/" };
  const [algorithm = ""] = provider.algorithms;
  const { privateKey, publicKey } = await generateKeyPair(algorithm);
  const keys = [{ ...(await exportJWK(publicKey)), kid: "k", use: provider.trustDomain === undefined ? "sig" : "jwt-svid" }];
  const trust = new TrustProviders([{ provider, fetchJson: async () => ({ keys }) }], new ShiftedClock());
  return async (claims: Tokens) => {
    const now = Math.floor(Date.now() / 1000);
    const token = await new SignJWT({ iat: now, exp: now + 300, ...claims } as JWTPayload)
      .setProtectedHeader({ alg: algorithm, kid: "k" })
      .sign(privateKey);
    return trust.verify(token, idToken);
  };
}

const problems = (yaml: string): string => {
  try {
    parseConfig(`${head}${yaml}`, "sallyport.yaml");
    return "";
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
};

/** What makes another identity of a page's token: none of these may sign in. */
const strangers: Record<string, Tokens[]> = {
  keycloak: [
    { typ: "Bearer" },
    { typ: undefined },
    { iss: "https://idp.example.com/realms/corp/" },
    { azp: "evil", aud: ["sallyport", "evil"] },
  ],
  entra: [
    { ver: "1.0" },
    { iss: "https://login.microsoftonline.com/99999999-2222-3333-4444-555555555555/v2.0" },
    { groups: undefined, hasgroups: true },
    { groups: undefined, _claim_names: { groups: "src1" } },
  ],
  okta: [{ iss: "https://example.okta.com/oauth2/default" }, { aud: "0oa2" }],
  google: [
    { hd: undefined },
    { hd: "example.com.evil.example" },
    { hd: "notexample.com" },
    { email_verified: false },
    { email_verified: "true" },
  ],
  kubernetes: [
    { "kubernetes.io": { namespace: "release-evil", serviceaccount: { name: "release-bot" } } },
    { "kubernetes.io": undefined, kubernetes: { io: { namespace: ["release", "evil"], serviceaccount: { name: "x" } } } },
    { "kubernetes.io": { namespace: "release" } },
    { aud: ["https://kubernetes.default.svc"] },
    { aud: ["sallyport", "https://kubernetes.default.svc"] },
  ],
  "github-actions": [
    { repository: "acme-evil/orders" },
    { repository: "acme/orders-evil" },
    { repository: "evil/acme/orders" },
    { repository: "ACME/orders" },
    { repository_owner_id: 65 },
    { repository_owner_id: "650" },
    { ref: "refs/heads/release/a/b" },
    { ref: "refs/heads/release/" },
    { ref: "refs/heads/main\n" },
    { ref: "refs/pull/1/merge" },
    { repository: undefined },
  ],
  "gitlab-ci": [
    { namespace_path: "acme-evil" },
    { namespace_path: "evil/acme" },
    { ref_protected: "false" },
    { ref_protected: true },
    { ref_protected: undefined },
  ],
  spiffe: [
    { sub: "spiffe://mesh.example.org.evil.example/ns/release/sa/bot" },
    { sub: "spiffe://evil.example/ns/release/sa/bot" },
    { sub: "spiffe://mesh.example.org/ns/release/sa/../../admin/sa/bot" },
    { sub: "spiffe://mesh.example.org/ns/release/sa/bot/more" },
    { sub: "spiffe://mesh.example.org" },
    { sub: "https://mesh.example.org/ns/release/sa/bot" },
    { aud: ["https://other.example"] },
  ],
  aws: [
    { sub: "arn:aws:iam::123456789013:role/release-bot" },
    { sub: "arn:aws:iam::123456789012:role/release-bot/x" },
    { sub: "arn:aws:iam::123456789012:user/release-bot" },
  ],
  gcp: [
    { email: "release-bot@acme-prod-evil.iam.gserviceaccount.com" },
    { email: "x-release-bot@acme-prod.iam.gserviceaccount.com" },
    { email_verified: undefined },
  ],
  azure: [
    { appid: "eeeeeeee-0000-4000-8000-000000000005" },
    { appid: undefined },
    { idtyp: "user" },
    { idtyp: undefined },
    { azp: "eeeeeeee-0000-4000-8000-000000000005" },
  ],
};

describe("a provider's profile", () => {
  for (const [profile, changes] of Object.entries(strangers)) {
    describe(profile, () => {
      it("knows who a token of its vendor's is, as its page says", async () => {
        const { yaml, claims, expected } = pageOf(profile);
        assert.match(yaml, new RegExp(`profile: ${profile}\n`));
        const { principal, groups, owner } = await (await trusting(yaml))(claims);
        assert.deepEqual({ principal, groups, ...(owner === undefined ? {} : { owner }) }, expected);
      });

      for (const change of changes) {
        it(`refuses one that says ${JSON.stringify(change)} (undefined: nothing)`, async () => {
          const { yaml, claims } = pageOf(profile);
          await refuses(
            "UNAUTHENTICATED",
            (await trusting(yaml))(JSON.parse(JSON.stringify({ ...claims, ...change }, (_, value) => value))),
          );
        });
      }
    });
  }

  it("is refused at load where anybody could have its issuer's tokens, and nothing is required of them", () => {
    for (const profile of ["github-actions", "gitlab-ci", "google", "gcp"]) {
      const provider = (more: string) => `trust: { oidc: [{ name: a, profile: ${profile}, audience: s${more} }] }`;
      assert.match(problems(provider("")), /anybody can have a token of this issuer: require one of/);
      assert.match(problems(provider(", require: { environment: production }")), /anybody can have a token/);
    }
    const azure = "https://sts.windows.net/11111111-2222-3333-4444-555555555555/";
    assert.match(problems(`trust: { oidc: [{ name: a, profile: azure, issuer: "${azure}", audience: s }] }`), /anybody/);
  });

  it("is refused at load with an issuer that is not of its kind, or without one", () => {
    for (const issuer of [
      "https://login.microsoftonline.com/common/v2.0",
      "https://login.microsoftonline.com/organizations/v2.0",
      "https://evil.example/11111111-2222-3333-4444-555555555555/v2.0",
    ])
      assert.match(
        problems(`trust: { oidc: [{ name: a, profile: entra, issuer: "${issuer}", audience: s }] }`),
        /no issuer of profile entra/,
      );
    assert.match(problems("trust: { oidc: [{ name: a, profile: okta, audience: s }] }"), /issuer: is missing/);
    assert.match(problems("trust: { oidc: [{ name: a, profile: spiffe, audience: s }] }"), /trustDomain: is missing/);
    assert.match(problems('trust: { oidc: [{ name: a, issuer: "https://i", audience: s }] }'), /algorithms: is missing/);
  });

  it("may share its issuer with another provider for another audience, and for no same one", () => {
    const provider = (name: string, profile: string, audience: string) =>
      `{ name: ${name}, profile: ${profile}, audience: ${audience}, require: { sub: "1" } }`;
    assert.equal(problems(`trust: { oidc: [${provider("a", "google", "x")}, ${provider("b", "gcp", "y")}] }`), "");
    assert.match(
      problems(`trust: { oidc: [${provider("a", "google", "x")}, ${provider("b", "gcp", "[y, x]")}] }`),
      /configured twice for one audience/,
    );
  });
});

describe("what a provider maps and requires", () => {
  const provider = (more: string) =>
    `trust:\n  oidc:\n    - { name: p, issuer: "https://i.example", audience: [a, b], algorithms: [ES256], ${more} }\n`;
  const good = { iss: "https://i.example", aud: "a", sub: "alice" };
  const verify = async (more: string, claims: Tokens) => (await trusting(provider(more)))({ ...good, ...claims });

  it("groups: from nested claims, lists, commas, spaces, templates, and several of them", async () => {
    for (const [groups, claims, expected] of [
      ["{ claim: realm_access.roles }", { realm_access: { roles: ["a", "b"] } }, ["p/a", "p/b"]],
      ["{ claim: roles, split: comma }", { roles: "a, b,,a" }, ["p/a", "p/b"]],
      ["{ claim: scope, split: space }", { scope: "a b" }, ["p/a", "p/b"]],
      ["{ claim: roles, split: comma }", { roles: ["a,b"] }, ["p/a,b"]],
      ['[{ claim: roles }, { template: "team:{team}" }, { template: "env:{none}" }]', { roles: ["a"], team: "x" }, ["p/a", "p/team:x"]],
      ['{ template: "t{n}" }', { n: 7 }, ["p/t7"]],
    ] as const)
      assert.deepEqual((await verify(`groups: ${groups}`, claims)).groups, expected);
    await refuses("UNAUTHENTICATED", verify("groups: { claim: roles }", { roles: "a, b" }), /no list/);
    await refuses("UNAUTHENTICATED", verify('groups: { template: "t{n}" }', { n: ["a"] }), /no text/);
    await refuses("INVALID_REQUEST", verify("groups: { claim: roles, split: comma }", { roles: "a,b\u202e" }));
  });

  it("a subject of several claims, of which two tokens never make the same", async () => {
    const more = 'subject: { template: "{ns}/{name}" }';
    assert.equal((await verify(more, { ns: "a", name: "b/c" })).principal, "p/a/b/c");
    await refuses("UNAUTHENTICATED", verify(more, { ns: "a/b", name: "c" }), /read as another/);
    await refuses("UNAUTHENTICATED", verify(more, { ns: "a" }), /to name its subject by/);
  });

  it("clients: azp, client_id and appid, each of those that are there", async () => {
    for (const claims of [{ azp: "c" }, { client_id: "d" }, { azp: "c", client_id: "d" }, { azp: "c", aud: ["a", "b"] }])
      await verify("clients: [c, d]", claims);
    for (const claims of [{}, { azp: "e" }, { azp: "c", client_id: "e" }, { azp: ["c"] }])
      await refuses("UNAUTHENTICATED", verify("clients: [c, d]", claims), /given to/);
  });

  it("required claims: a value, one of several, a pattern; an absent one is none of them", async () => {
    for (const [require, yes, no] of [
      ["{ x: 1 }", [1], ["1", 2, true, undefined, [], [1, 2]]],
      ["{ x: true }", [true], ["true", 1, undefined]],
      ["{ x: [a, b] }", ["a", "b", ["a", "b"]], ["c", ["a", "c"], "ab", undefined]],
      ['{ x: { like: "a/*" } }', ["a/b"], ["a/", "a/b/c", "a-evil/b", "ba/b", "a/b\nc/d", { toString: "a/b" }]],
      ['{ x: { like: "a.c/**" } }', ["a.c/b/d"], ["abc/b", "a.c/"]],
    ] as const) {
      for (const x of yes) await verify(`require: ${require}`, { x });
      for (const x of no)
        await refuses("UNAUTHENTICATED", verify(`require: ${require}`, x === undefined ? {} : { x }), /not what its provider requires/);
    }
  });

  it("is refused at load where it would match everything, or nothing can be told apart", () => {
    for (const [more, sentence] of [
      ['require: { x: { like: "*" } }', /match everything/],
      ['require: { x: { like: "**" } }', /match everything/],
      ["require: { x: [] }", /require/],
      ['require: { x: "" }', /require/],
      ['subject: { template: "{a}{b}" }', /something between/],
      ["subject: { template: abc }", /at least one/],
      ["groups: { split: comma }", /exactly one|belongs/],
      ["clients: []", /clients/],
    ] as const)
      assert.match(problems(provider(more)), sentence, more);
  });
});
