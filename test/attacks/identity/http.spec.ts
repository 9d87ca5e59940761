import assert from "node:assert/strict";
import { ProofMaker } from "@sallyport/identity";
import { flipped } from "./forge.ts";
import { audience, idToken, Stage } from "./stage.ts";

const exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";
const accessToken = "urn:ietf:params:oauth:token-type:access_token";
const details = (entry: object) => JSON.stringify([{ type: "sallyport", actions: ["use"], secrets: ["prod/*"], targets: ["*"], ...entry }]);

interface Sent {
  readonly body: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  /** What the proof is made for, where it differs. */
  readonly provenBody?: string;
  readonly htu?: string;
  readonly maker?: ProofMaker;
  readonly credential?: string;
}

describe("attacks on the HTTP endpoints", () => {
  let stage: Stage;
  let good: URLSearchParams;
  let alice: { maker: ProofMaker; token: string };
  let bob: { maker: ProofMaker; token: string };

  before(async () => {
    stage = await Stage.open();
    const signIn = async (sub: string) => {
      const maker = ProofMaker.generate();
      return { maker, token: (await stage.signIn(maker, {}, { sub })).token };
    };
    [alice, bob] = [await signIn("alice"), await signIn("bob")];
  });
  beforeEach(async () => {
    good = new URLSearchParams({
      grant_type: exchangeGrant,
      subject_token: await stage.issuer.token({ jti: crypto.randomUUID() }),
      subject_token_type: idToken,
    });
  });
  after(() => stage.close());

  const form = (changes: Record<string, string | undefined> = {}) => {
    const parameters = new URLSearchParams(good);
    for (const [name, value] of Object.entries(changes))
      if (value === undefined) parameters.delete(name);
      else parameters.set(name, value);
    return parameters.toString();
  };

  const post = async ({ body, path = "token", headers = {}, provenBody = body, htu, maker = ProofMaker.generate(), credential }: Sent) => {
    await stage.learnNonce(maker);
    const dpop = maker.prove({ htu: htu ?? `${audience}/oauth/${path.split("?")[0]}`, request: Buffer.from(provenBody), credential });
    const response = await fetch(`${stage.edge}/oauth/${path}`, {
      method: "POST",
      body,
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        dpop,
        ...(credential === undefined ? {} : { authorization: `DPoP ${credential}` }),
        ...headers,
      },
    });
    const answer = (await response.json()) as Record<string, unknown>;
    return { status: response.status, answer, headers: response.headers };
  };

  const token: readonly [name: string, error: string, sent: () => Sent | Promise<Sent>][] = [
    ["no grant type", "400 invalid_request", () => ({ body: form({ grant_type: undefined }) })],
    ["another grant type", "400 unsupported_grant_type", () => ({ body: form({ grant_type: "client_credentials" }) })],
    ["the password grant", "400 unsupported_grant_type", () => ({ body: form({ grant_type: "password", username: "a", password: "b" }) })],
    ["a refresh token grant", "400 unsupported_grant_type", () => ({ body: form({ grant_type: "refresh_token", refresh_token: "x" }) })],
    ["a parameter twice", "400 invalid_request", () => ({ body: `${form()}&subject_token=other` })],
    ["an empty parameter", "400 invalid_request", () => ({ body: `${form()}&authorization_details=` })],
    ["parameters in the URL", "400 invalid_request", () => ({ body: form(), path: "token?agent_name=root" })],
    [
      "a body of JSON",
      "400 invalid_request",
      () => ({ body: JSON.stringify(Object.fromEntries(good)), headers: { "content-type": "application/json" } }),
    ],
    [
      "a body of multipart",
      "400 invalid_request",
      () => ({ body: form(), headers: { "content-type": "multipart/form-data; boundary=x" } }),
    ],
    ["a body that is no UTF-8", "400 invalid_request", () => ({ body: `${form()}&x=%ff%fe` })],
    ["no subject token", "400 invalid_request", () => ({ body: form({ subject_token: undefined }) })],
    ["no subject token type", "400 invalid_request", () => ({ body: form({ subject_token_type: undefined }) })],
    [
      "a SAML type for a JWT",
      "400 invalid_request",
      () => ({ body: form({ subject_token_type: "urn:ietf:params:oauth:token-type:refresh_token" }) }),
    ],
    [
      "an actor token: a chain that the client supplies",
      "400 invalid_request",
      () => ({ body: form({ actor_token: "x", actor_token_type: idToken }) }),
    ],
    ["a scope", "400 invalid_scope", () => ({ body: form({ scope: "secret:admin" }) })],
    ["another audience", "400 invalid_target", () => ({ body: form({ audience: "https://other.internal" }) })],
    ["another resource", "400 invalid_target", () => ({ body: form({ resource: "https://other.internal" }) })],
    [
      "a refresh token asked for",
      "400 invalid_request",
      () => ({ body: form({ requested_token_type: "urn:ietf:params:oauth:token-type:refresh_token" }) }),
    ],
    ["an unknown binding", "400 invalid_request", () => ({ body: form({ binding: "none" }) })],
    [
      "an agent's name that climbs",
      "400 invalid_request",
      () => ({ body: form({ agent_name: "../root", authorization_details: details({}) }) }),
    ],
    ["an agent without a ceiling", "400 invalid_request", () => ({ body: form({ agent_name: "a" }) })],
    [
      "details of another type",
      "400 invalid_authorization_details",
      () => ({ body: form({ authorization_details: details({ type: "payment" }) }) }),
    ],
    [
      "details with a member that nobody reads",
      "400 invalid_authorization_details",
      () => ({ body: form({ authorization_details: details({ except: [] }) }) }),
    ],
    [
      "details with an unknown action",
      "400 invalid_authorization_details",
      () => ({ body: form({ authorization_details: details({ actions: ["*"] }) }) }),
    ],
    ["details that are a text", "400 invalid_authorization_details", () => ({ body: form({ authorization_details: '"*"' }) })],
    [
      "a proof for another body",
      "400 invalid_dpop_proof",
      () => ({ body: form({ agent_name: "a", authorization_details: details({}) }), provenBody: form() }),
    ],
    ["a proof for another endpoint", "400 invalid_dpop_proof", () => ({ body: form(), htu: `${audience}/oauth/revoke` })],
    ["a proof that is none", "400 invalid_dpop_proof", () => ({ body: form(), headers: { dpop: "x" } })],
    ["a stale nonce", "400 use_dpop_nonce", () => staleNonce()],
    [
      "a subject token whose signature was changed",
      "400 invalid_request",
      () => ({ body: form({ subject_token: flipped(good.get("subject_token") ?? "", 200) }) }),
    ],
    ["a credential of ours as an outside token", "400 invalid_request", () => ({ body: form({ subject_token: alice.token }) })],
    [
      "somebody else's credential to renew",
      "400 invalid_dpop_proof",
      () => ({ body: form({ subject_token: alice.token, subject_token_type: accessToken }), maker: bob.maker }),
    ],
    [
      "a credential to renew that was changed",
      "400 invalid_request",
      () => ({ body: form({ subject_token: flipped(alice.token, 300), subject_token_type: accessToken }), maker: alice.maker }),
    ],
    [
      "a renewal under another name",
      "400 invalid_request",
      () => ({ body: form({ subject_token: alice.token, subject_token_type: accessToken, agent_name: "root" }), maker: alice.maker }),
    ],
  ];

  const staleNonce = (): Sent => {
    const maker = ProofMaker.generate();
    maker.remember(`AAAAAAAAAA.0.${"A".repeat(22)}`);
    const body = form();
    return { body, headers: { dpop: maker.prove({ htu: `${audience}/oauth/token`, request: Buffer.from(body) }) } };
  };

  describe("the token endpoint", () => {
    for (const [name, expected, sent] of token) {
      it(`${name}: ${expected}`, async () => {
        const { status, answer, headers } = await post(await sent());
        assert.equal(`${status} ${answer.error}`, expected, JSON.stringify(answer));
        assert.equal(headers.get("cache-control"), "no-store");
        assert.match(answer.error_description as string, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
        assert.ok(!JSON.stringify(answer).includes(good.get("subject_token") ?? "none"));
      });
    }

    it("without a proof: 400 use_dpop_nonce, with a nonce", async () => {
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      const response = await fetch(`${stage.edge}/oauth/token`, { method: "POST", body: form(), headers });
      assert.deepEqual([response.status, ((await response.json()) as { error: string }).error], [400, "use_dpop_nonce"]);
      assert.ok(response.headers.get("dpop-nonce"));
    });

    it("with GET: nothing is done", async () => {
      const response = await fetch(`${stage.edge}/oauth/token?${form()}`);
      assert.ok([404, 405].includes(response.status), String(response.status));
    });

    it("a subject token that another key has shown: 400 invalid_request", async () => {
      const body = form();
      assert.equal((await post({ body })).status, 200);
      const { status, answer } = await post({ body });
      assert.deepEqual([status, answer.error, answer.reason], [400, "invalid_request", "UNAUTHENTICATED"]);
    });

    it("the benign twins pass: a person's, an agent's, this audience by name, a renewal", async () => {
      for (const changes of [{}, { agent_name: "a", authorization_details: details({}) }, { audience }, { resource: audience }]) {
        good.set("subject_token", await stage.issuer.token({ jti: crypto.randomUUID() }));
        assert.equal((await post({ body: form(changes) })).status, 200);
      }
      const body = form({ subject_token: alice.token, subject_token_type: accessToken });
      assert.equal((await post({ body, maker: alice.maker })).status, 200);
    });
  });

  const held: readonly [name: string, expected: string, sent: () => Omit<Sent, "body">][] = [
    ["no credential", "401 invalid_token", () => ({})],
    ["a stolen credential with the thief's key", "401 invalid_dpop_proof", () => ({ credential: alice.token })],
    ["a credential that was changed", "401 invalid_token", () => ({ credential: flipped(alice.token, 300), maker: alice.maker })],
    [
      "a proof for another endpoint",
      "401 invalid_dpop_proof",
      () => ({ credential: alice.token, maker: alice.maker, htu: `${audience}/oauth/token` }),
    ],
  ];
  for (const path of ["introspect", "revoke"]) {
    describe(`/oauth/${path}`, () => {
      for (const [name, expected, sent] of held) {
        it(`${name}: ${expected}`, async () => {
          const { status, answer, headers } = await post({ body: new URLSearchParams({ token: bob.token }).toString(), path, ...sent() });
          assert.equal(`${status} ${answer.error}`, expected, JSON.stringify(answer));
          assert.match(headers.get("www-authenticate") ?? "", /^DPoP error=/);
        });
      }

      it("no token, or two: 400 invalid_request", async () => {
        for (const body of ["", "x=1", "token=a&token=b"]) {
          const { status, answer } = await post({ body, path, credential: alice.token, maker: alice.maker });
          assert.deepEqual([status, answer.error], [400, "invalid_request"]);
        }
      });
    });
  }

  it("introspection of another's credential says no more than of nonsense", async () => {
    const ask = async (text: string) =>
      (
        await post({
          body: new URLSearchParams({ token: text }).toString(),
          path: "introspect",
          credential: alice.token,
          maker: alice.maker,
        })
      ).answer;
    assert.deepEqual([await ask(bob.token), await ask("nonsense")], [{ active: false }, { active: false }]);
    assert.equal((await ask(alice.token)).active, true);
  });

  it("revocation of nonsense ends nobody", async () => {
    const { status } = await post({ body: "token=nonsense", path: "revoke", credential: alice.token, maker: alice.maker });
    assert.equal(status, 200);
    const body = form({ subject_token: bob.token, subject_token_type: accessToken });
    assert.equal((await post({ body, maker: bob.maker })).status, 200);
  });
});
