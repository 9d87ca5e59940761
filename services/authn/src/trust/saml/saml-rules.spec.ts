import assert from "node:assert/strict";
import { sha256 } from "@sallyport/identity";
import { newHolder, refuses } from "../../authn.fixture.ts";
import { bindToken } from "../token-binding.ts";
import { newPair, type Said, type Signed } from "./local-idp.fixture.ts";
import type { SamlProvider } from "./saml-provider.ts";
import { SamlSite } from "./saml-site.fixture.ts";

const day = 86_400;

describe("a SAML response", () => {
  let site: SamlSite;
  before(async function () {
    this.timeout(60_000);
    site = await SamlSite.open();
  });
  beforeEach(() => void site.configure());
  after(() => site.close());

  /** An answer to a request of our own. */
  const answer = async (said: Said = {}, how?: Signed) => site.idp.response({ inResponseTo: await site.request(), ...said }, how);
  const encrypted = (how: Signed = {}): Signed => ({ encryptFor: site.pair.certificate, ...how });

  describe("is accepted", () => {
    it("once, for who was signed, and with a code for the key that began it alone", async () => {
      const { verified, code, waiting } = await site.signIn.accept(await answer());
      assert.deepEqual([verified.principal, verified.groups, waiting?.port], ["staff/alice", ["staff/release-team"], 8123]);
      const other = newHolder();
      await refuses("UNAUTHENTICATED", site.codes.identity(code, other.thumbprint, site.clock.now()), /belongs to the key/);
      const { principal, provider } = await site.codes.identity(code, site.holder.thumbprint, site.clock.now());
      assert.deepEqual([principal, provider.protocol, provider.singleUse], ["staff/alice", "SAML", true]);
      await refuses("UNAUTHENTICATED", site.codes.identity(code, site.holder.thumbprint, site.clock.now() + 61_000), /minute/);
      await refuses("UNAUTHENTICATED", site.codes.identity("made-up", site.holder.thumbprint, site.clock.now()), /not known/);
      assert.equal(await site.state.get("saml-codes", code), undefined, "the state must hold the code's hash only");
      assert.notEqual(await site.state.get("saml-codes", sha256(code)), undefined);
    });

    it("with its response signed too, by SHA-512, encrypted, and encrypted and signed over all", async () => {
      for (const how of [{ response: true }, { algorithm: "sha512" }, encrypted(), encrypted({ response: true })] as Signed[])
        assert.equal((await site.signIn.accept(await answer({}, how))).verified.principal, "staff/alice");
    });

    it("with the skew of a clock, either way", async () => {
      for (const said of [{ issued: 55 }, { notBefore: 55 }, { notOnOrAfter: -55 }, { confirmedUntil: -55 }])
        await site.signIn.accept(await answer(said));
    });

    it("with letters that XML spells otherwise", async () => {
      const { verified } = await site.signIn.accept(await answer({ nameId: "&#97;lice&amp;co", groups: ["a &amp; b", "a &amp; b"] }));
      assert.deepEqual([verified.principal, verified.groups], ["staff/alice&co", ["staff/a & b"]]);
    });

    it("by the attribute that names the subject, where one is configured", async () => {
      site.configure({ subject: { attribute: "uid" } });
      const attributes = '<saml:Attribute Name="uid"><saml:AttributeValue>al</saml:AttributeValue></saml:Attribute>';
      assert.equal((await site.signIn.accept(await answer({ attributes }))).verified.principal, "staff/al");
    });

    it("unasked, where the identity provider may send somebody", async () => {
      site.configure({ idpInitiated: true });
      const { code, waiting } = await site.signIn.accept(await site.idp.response());
      assert.equal(waiting, undefined);
      assert.equal((await site.codes.identity(code, newHolder().thumbprint, site.clock.now())).principal, "staff/alice");
    });

    it("but signs nobody in where it is older than the state, which came back empty and cannot know whether it was shown before", async () => {
      const { code } = await site.signIn.accept(await answer({ issued: -5 }));
      const identity = await site.codes.identity(code, site.holder.thumbprint, site.clock.now());
      const bound = (epoch: number) => bindToken(site.state, identity, site.holder.thumbprint, { clock: site.clock, epoch: () => epoch });
      await refuses("UNAUTHENTICATED", bound(site.clock.now()), /older than Sallyport's state/);
      await bound(site.clock.now() - 10_000);
    });

    it("but signs nobody in where it answers what was asked before the state began, whatever the identity provider's clock says", async () => {
      const { code } = await site.signIn.accept(await answer({ issued: 55 }));
      const identity = await site.codes.identity(code, site.holder.thumbprint, site.clock.now());
      const bound = (epoch: number) => bindToken(site.state, identity, site.holder.thumbprint, { clock: site.clock, epoch: () => epoch });
      await refuses("UNAUTHENTICATED", bound(site.clock.now() + 5_000), /older than Sallyport's state/);
      await bound(site.clock.now() - 10_000);
    });

    it("and its session ends no later than the one at the identity provider", async () => {
      const { verified, code } = await site.signIn.accept(await answer({ sessionEnds: 120 }));
      const { sessionEnds } = await site.codes.identity(code, site.holder.thumbprint, site.clock.now());
      assert.equal(sessionEnds, verified.sessionEnds);
      assert.ok(Math.abs((sessionEnds ?? 0) - site.clock.now() - 120_000) < 5_000);
    });

    it("by one of several certificates, as while they are rolled over, but by no withdrawn one", async () => {
      const next = await newPair();
      site.idp.published = [next.certificate];
      await site.refuses("signature", answer());
      // Metadata that were just read are not read again for each response that somebody makes up.
      site.configure();
      await site.request();
      const before = site.read;
      for (let n = 0; n < 5; n++) await site.refuses("signature", answer());
      assert.ok(site.read - before <= 1, `read ${site.read - before} times`);
      site.idp.published = [site.idp.pair.certificate, next.certificate];
      site.clock.pass(5_000);
      for (const pair of [site.idp.pair, next]) await site.signIn.accept(await answer({}, { pair }));
      site.idp.published = [site.idp.pair.certificate];
    });

    it("by the last good metadata while there are none, but not for ever", async () => {
      await site.signIn.accept(await answer());
      site.failing = true;
      site.clock.pass(10 * 60_000);
      await site.signIn.accept(await answer());
      site.clock.pass(24 * 3_600_000);
      await refuses(
        "TARGET_UNAVAILABLE",
        site.signIn.begin({ thumbprint: site.holder.thumbprint, state: "A".repeat(22), port: 1 }),
        /metadata/,
      );
      site.failing = false;
    });
  });

  const conditions = (more: string, audience = "https://sallyport.example/saml/staff") =>
    `<saml:Conditions NotOnOrAfter="${new Date(site.clock.now() + 300_000).toISOString()}"><saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction>${more}</saml:Conditions>`;

  /** One response a rule: what it says, how it is signed, what is configured. */
  const refusals: [string, string, (() => Said) | Said, Signed?, Partial<SamlProvider>?][] = [
    ["status", "that is no success", { status: "Responder" }],
    ["not-a-response", "of another version", { responseVersion: "1.1" }],
    ["destination", "sent to another address", { destination: "https://other.example/saml/staff/acs" }],
    ["destination", "sent to nowhere in particular", { destination: undefined }],
    ["response-issuer", "of another issuer", { responseIssuer: "https://idp.example/saml/" }],
    [
      "no-assertion",
      "without an assertion",
      {},
      { assertion: false, before: (xml) => xml.replace(/<saml:Assertion[\s\S]*<\/saml:Assertion>/, "") },
    ],
    ["unsigned", "with nothing signed", {}, { assertion: false }],
    ["unsigned", "with its response signed, and its assertion not", {}, { assertion: false, response: true }],
    ["not-encrypted", "in the clear, where it must not be", {}, {}, { encryptedOnly: true }],
    ["version", "whose assertion is of another version", { version: "1.1" }],
    ["issuer", "whose assertion another issued", { issuer: "https://evil.example", responseIssuer: "https://idp.example/saml" }],
    ["issued-in-future", "from the future", { issued: 65 }],
    ["no-subject", "without a subject's name", { subject: "<saml:SubjectConfirmation Method='urn:oasis:names:tc:SAML:2.0:cm:bearer'/>" }],
    ["no-subject", "with two names", () => ({ subject: "<saml:NameID>alice</saml:NameID><saml:NameID>bob</saml:NameID>" })],
    ["no-subject", "with an element inside the name", { nameId: "alice<b>x</b>" }],
    ["name-id-format", "named in another format", { format: "urn:oasis:names:tc:SAML:2.0:nameid-format:transient" }],
    ["subject-attribute", "without the attribute that names", {}, {}, { subject: { attribute: "uid" } }],
    ["confirmation", "confirmed in another way", { method: "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches" }],
    ["confirmation", "not confirmed", { confirmation: "" }],
    ["recipient", "for another recipient", { recipient: "https://other.example/acs" }],
    ["recipient", "for no recipient in particular", { recipient: undefined }],
    ["confirmation-time", "whose confirmation has run out", { confirmedUntil: -65 }],
    ["confirmation-time", "whose confirmation never ends", { confirmedUntil: undefined }],
    ["too-long", "that holds for two days", { notOnOrAfter: 2 * day }],
    ["too-long", "whose confirmation holds for two days", { confirmedUntil: 2 * day }],
    ["no-conditions", "without conditions", { conditions: "" }],
    ["no-conditions", "with two sets of them", () => ({ conditions: conditions("") + conditions("") })],
    ["not-yet-valid", "that is not valid yet", { notBefore: 65 }],
    ["expired", "that has expired", { notOnOrAfter: -65 }],
    ["expired", "that never expires", { notOnOrAfter: undefined }],
    ["audience", "for another audience", { audience: "https://sallyport.example/saml/staff/" }],
    [
      "audience",
      "for no audience in particular",
      () => ({ conditions: conditions("").replace(/<saml:AudienceRestriction[\s\S]*<\/saml:AudienceRestriction>/, "") }),
    ],
    [
      "audience",
      "one of whose restrictions leaves us out",
      () => ({
        conditions: conditions("<saml:AudienceRestriction><saml:Audience>https://other.example</saml:Audience></saml:AudienceRestriction>"),
      }),
    ],
    ["unknown-condition", "with a condition that nobody knows", () => ({ conditions: conditions('<x:Only xmlns:x="urn:x"/>') })],
    ["no-authentication", "that says nothing of how the person was authenticated", { authentication: "" }],
    ["session-over", "whose session is over", { sessionEnds: -1 }],
    ["attribute-value", "whose group is no plain text", { groups: ["<x>admin</x>"] }],
    [
      "groups-elsewhere",
      "whose groups stand elsewhere",
      {
        attributes:
          '<saml:Attribute Name="http://schemas.microsoft.com/claims/groups.link"><saml:AttributeValue>https://x</saml:AttributeValue></saml:Attribute>',
      },
    ],
    ["in-response-to", "that answers another request in its message than in its assertion", { responseInResponseTo: "_other" }],
    ["unsolicited", "whose message does not say what it answers", { responseInResponseTo: undefined }],
    ["in-response-to", "whose message alone does not say what it answers", { responseInResponseTo: undefined }, {}, { idpInitiated: true }],
    ["in-response-to", "that answers what nobody asked", { inResponseTo: `_${"A".repeat(104)}` }],
    ["sha1", "signed by SHA-1", {}, { algorithm: "sha1" }],
    ["sha1", "digested by SHA-1", {}, { digest: "sha1" }],
    [
      "canonicalization",
      "canonicalized inclusively",
      {},
      { transforms: ["http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"] },
    ],
    ["canonicalization", "without the enveloped transform", {}, { transforms: ["http://www.w3.org/2001/10/xml-exc-c14n#"] }],
  ];
  for (const [rule, what, said, how = {}, changes] of refusals) {
    it(`${rule}: is refused ${what}`, async () => {
      site.configure(changes);
      await site.refuses(rule, answer(typeof said === "function" ? said() : said, how));
    });
  }

  it("encryption-algorithm: is refused where its cipher has no integrity, or its key is wrapped by PKCS #1 v1.5", async () => {
    for (const how of [
      { cipher: "http://www.w3.org/2001/04/xmlenc#aes256-cbc" },
      { keyCipher: "http://www.w3.org/2001/04/xmlenc#rsa-1_5" },
    ])
      await site.refuses("encryption-algorithm", answer({}, encrypted(how)));
  });

  it("cannot-decrypt: is refused where it was encrypted for somebody else, or no key is configured", async () => {
    const other = await newPair();
    await site.refuses("cannot-decrypt", answer({}, { encryptFor: other.certificate }));
    site.configure({ decryption: undefined });
    await site.refuses("cannot-decrypt", answer({}, encrypted()));
  });

  it("signature: is refused by a key that brings its own certificate along", async () => {
    await site.refuses("signature", answer({}, { pair: await newPair() }));
  });

  it("replayed, request-over: is refused a second time, also another one for the same request, whichever replica it comes to", async () => {
    const inResponseTo = await site.request();
    const [first, second] = [await site.idp.response({ inResponseTo }), await site.idp.response({ inResponseTo })];
    const other = site.signIn;
    site.configure();
    const outcomes = await Promise.allSettled([other.accept(first), site.signIn.accept(first), other.accept(first)]);
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    await site.refuses("replayed", first);
    await site.refuses("request-over", second);
  });

  it("request-over: is refused after ten minutes", async () => {
    const inResponseTo = await site.request();
    site.clock.pass(10 * 60_000 + 1);
    await site.refuses("request-over", site.idp.response({ inResponseTo }));
  });

  it("in-response-to, unsolicited: is refused before any work on its signature, whatever that is", async () => {
    const evil = await newPair();
    for (const [rule, inResponseTo] of [
      ["in-response-to", `_${"A".repeat(104)}`],
      ["unsolicited", undefined],
    ] as const) {
      site.configure();
      const before = site.read;
      await site.refuses(rule, site.idp.response({ inResponseTo }, { pair: evil }));
      assert.equal(site.read, before, "not even the certificates are asked for");
    }
    await site.refuses("signature", answer({}, { pair: evil }));
  });

  it("in-response-to: is refused where another provider's request is answered", async () => {
    const inResponseTo = await site
      .configure({ name: "other" })
      .begin({ thumbprint: site.holder.thumbprint, state: "A".repeat(22), port: 1 });
    assert.ok(inResponseTo);
    const id = await site.request();
    site.configure();
    await site.refuses("in-response-to", site.idp.response({ inResponseTo: id }));
  });

  it("unsolicited, solicited: is refused where that way of signing in is off, as both are unless configured", async () => {
    const asked = await answer();
    const unasked = await site.idp.response();
    await site.refuses("unsolicited", unasked);
    site.configure({ spInitiated: false, idpInitiated: true });
    await site.refuses("solicited", asked);
    await assert.rejects(site.signIn.begin({ thumbprint: site.holder.thumbprint, state: "A".repeat(22), port: 1 }), { name: "Refusal" });
  });

  it("is refused where a name that it holds cannot be one", async () => {
    for (const said of [{ nameId: "a b" }, { nameId: "a#b" }, { nameId: "a\u200bb" }, { groups: ["a\u202eb"] }, { groups: [""] }])
      await assert.rejects(
        answer(said).then((field) => site.signIn.accept(field)),
        { name: "Refusal" },
      );
  });

  it("is asked for by a request that names where to send it, in metadata that say the same", async () => {
    const metadata = site.signIn.metadata();
    for (const part of [site.idp.acs, site.idp.audience, 'WantAssertionsSigned="true"', "nameid-format:persistent"])
      assert.ok(metadata.includes(part), part);
    assert.ok(!metadata.includes("SingleLogoutService"));
  });
});
