import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { bare, newPair, type Said, type Signed } from "../../../services/authn/src/trust/saml/local-idp.fixture.ts";
import { SamlSite } from "../../../services/authn/src/trust/saml/saml-site.fixture.ts";

/** TOKN-13: what is read is what was signed, and nobody else is signed in, whatever is wrapped around, put into or left out of a response. */
describe("TOKN-13: attacks on SAML responses", () => {
  let site: SamlSite;
  before(async function () {
    this.timeout(60_000);
    site = await SamlSite.open();
  });
  after(() => site.close());

  const signed = async (said: Said = {}, how: Signed = {}) => site.idp.signed({ inResponseTo: await site.request(), ...said }, how);
  const numbered = (count: number, text: (n: number) => string) => Array.from({ length: count }, (_, n) => text(n)).join(" ");
  const posted = (xml: string) => Buffer.from(xml).toString("base64");

  /** The parts of a response whose assertion is signed. */
  const parts = (xml: string) => {
    const assertion = /<saml:Assertion[\s\S]*<\/saml:Assertion>/.exec(xml)?.[0] ?? assert.fail("no assertion");
    const signature = /<(?:ds:)?Signature [\s\S]*?<\/(?:ds:)?Signature>/.exec(xml)?.[0] ?? assert.fail("no signature");
    const bareAssertion = assertion.replace(signature, "");
    const renamed = (text: string) => text.replace(/ ID="_a/, ' ID="_evil').replaceAll(">alice<", ">mallory<");
    return { xml, assertion, signature, bareAssertion, evil: renamed(bareAssertion), evilSigned: renamed(assertion) };
  };
  type Parts = ReturnType<typeof parts>;
  const inExtensions = (inner: string) => (xml: string) =>
    xml.replace(/<samlp:Status>/, `<samlp:Extensions>${inner}</samlp:Extensions><samlp:Status>`);
  const inObject = (signature: string, inner: string) =>
    signature.replace(/<\/((?:ds:)?Signature)>$/, (_, name) => `<Object>${inner}</Object></${name}>`);

  describe("the benign twin", () => {
    it("is accepted, for alice", async () => {
      assert.equal((await site.signIn.accept(posted(await signed()))).verified.principal, "staff/alice");
    });

    it("is accepted with hundreds of groups, each with namespaces of its own, as Keycloak writes them", async () => {
      const [xs, xsi] = ["http://www.w3.org/2001/XMLSchema", "http://www.w3.org/2001/XMLSchema-instance"];
      const value = `<saml:AttributeValue xmlns:xs="${xs}" xmlns:xsi="${xsi}" xsi:type="xs:string">`;
      const before = (xml: string) => xml.replaceAll("<saml:AttributeValue>", value);
      const groups = Array.from({ length: 500 }, (_, n) => `group-${n}`);
      assert.equal((await site.signIn.accept(posted(await signed({ groups }, { before })))).verified.groups.length, 500);
    });
  });

  describe("by wrapping a signature (XSW)", () => {
    const ofResponse: Record<string, [string, (p: Parts) => string]> = {
      "XSW1: the signed response inside the signature of another": [
        "many-assertions",
        ({ xml, signature }) => wrap(xml, signature, "inside"),
      ],
      "XSW2: the signed response beside its signature": ["many-assertions", ({ xml, signature }) => wrap(xml, signature, "beside")],
    };
    const wrap = (xml: string, signature: string, how: "inside" | "beside"): string => {
      const original = xml.replace(signature, "");
      const evil = original
        .replace(/ ID="_r/, ' ID="_evil')
        .replace(/ ID="_a/, ' ID="_evilassertion')
        .replaceAll(">alice<", ">mallory<");
      const placed = how === "inside" ? inObject(signature, original) : `${signature}${original}`;
      return evil.replace(/<\/saml:Issuer>/, (end) => `${end}${placed}`);
    };
    for (const [what, [rule, attack]] of Object.entries(ofResponse))
      it(what, async () => site.refuses(rule, posted(attack(parts(await signed({}, { assertion: false, response: true }))))));

    const ofAssertion: Record<string, [string, (p: Parts) => string]> = {
      "XSW3: another assertion before the signed one": [
        "many-assertions",
        ({ xml, assertion, evil }) => xml.replace(assertion, evil + assertion),
      ],
      "XSW3 after: another assertion after the signed one": [
        "many-assertions",
        ({ xml, assertion, evil }) => xml.replace(assertion, assertion + evil),
      ],
      "XSW4: the signed assertion inside another": [
        "many-assertions",
        ({ xml, assertion, evil }) => xml.replace(assertion, evil.replace("</saml:Assertion>", `${assertion}</saml:Assertion>`)),
      ],
      "XSW5: another assertion with the signature, the signed one behind it": [
        "many-assertions",
        ({ xml, assertion, evilSigned, bareAssertion }) => xml.replace(assertion, evilSigned + bareAssertion),
      ],
      "XSW6: the signed assertion inside the signature, inside another": [
        "many-assertions",
        ({ xml, assertion, signature, evilSigned, bareAssertion }) =>
          xml.replace(assertion, evilSigned.replace(signature, inObject(signature, bareAssertion))),
      ],
      "XSW7: another assertion in the extensions": ["many-assertions", ({ xml, evil }) => inExtensions(evil)(xml)],
      "XSW8: the signed assertion in an object of the other's signature": [
        "many-assertions",
        ({ xml, assertion, signature, evil, bareAssertion }) =>
          xml.replace(assertion, evil.replace("</saml:Issuer>", `</saml:Issuer>${inObject(signature, bareAssertion)}`)),
      ],
      "an assertion in the status' detail": [
        "many-assertions",
        ({ xml, evil }) => xml.replace("</samlp:Status>", `<samlp:StatusDetail>${evil}</samlp:StatusDetail></samlp:Status>`),
      ],
      "a signature in the extensions": ["wrong-element", ({ xml }) => inExtensions("<x:y xmlns:x='urn:x'/>")(xml)],
      "a second signature, in the status' detail": [
        "signature-place",
        ({ xml, signature }) => xml.replace("</samlp:Status>", `<samlp:StatusDetail>${signature}</samlp:StatusDetail></samlp:Status>`),
      ],
      "a signature that only looks like one, by another namespace": [
        "signature-place",
        ({ xml, signature }) => xml.replace(signature, signature.replaceAll("http://www.w3.org/2000/09/xmldsig#", "urn:x") + signature),
      ],
      "a signature in another namespace alone": [
        "signature-place",
        ({ xml, signature }) => xml.replace(signature, signature.replaceAll("http://www.w3.org/2000/09/xmldsig#", "urn:x")),
      ],
      "two signatures": ["signature-place", ({ xml, signature }) => xml.replace(signature, signature + signature)],
      "a signature moved into the subject": [
        "signature-place",
        ({ xml, signature }) => xml.replace(signature, "").replace("<saml:Subject>", `<saml:Subject>${signature}`),
      ],
      "an object inside the signature": ["signature-form", ({ xml, signature }) => xml.replace(signature, inObject(signature, "<a/>"))],
      "two references": [
        "signature-form",
        ({ xml }) => xml.replace(/<((?:ds:)?)Reference [\s\S]*?<\/(?:ds:)?Reference>/, (reference) => reference + reference),
      ],
      "a reference to the whole document": ["signature-form", ({ xml }) => xml.replace(/URI="#_a[0-9a-f]+"/, 'URI=""')],
      "a reference to another element": [
        "signature-form",
        ({ xml }) => xml.replace(/URI="#_a[0-9a-f]+"/, `URI="#${/ID="(_r[^"]+)"/.exec(xml)?.[1]}"`),
      ],
      "a reference with a quote in it": ["signature-form", ({ xml }) => xml.replace(/URI="#_a/, `URI="#_'a`)],
      "two elements of one ID": [
        "duplicate-id",
        ({ xml, assertion }) => xml.replace("<saml:Subject>", `<saml:Subject ID="${/ID="([^"]+)"/.exec(assertion)?.[1]}">`),
      ],
      "two elements of one ID, spelt as libraries spell it": [
        "duplicate-id",
        ({ xml, assertion }) => xml.replace("<samlp:Status>", `<samlp:Status xml:id="${/ID="([^"]+)"/.exec(assertion)?.[1]}">`),
      ],
      "an encrypted assertion beside the signed one": [
        "many-assertions",
        ({ xml, assertion }) =>
          xml.replace(assertion, `${assertion}<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`),
      ],
      "an assertion of another namespace": [
        "many-assertions",
        ({ xml, assertion }) => xml.replace(assertion, `${assertion}<Assertion xmlns="urn:x"/>`),
      ],
      "the only assertion of another namespace": [
        "wrong-element",
        ({ xml, assertion, evil }) => xml.replace(assertion, evil.replace("urn:oasis:names:tc:SAML:2.0:assertion", "urn:x")),
      ],
      "an assertion in the root's place": ["not-a-response", ({ assertion }) => assertion],
      "an unknown element in the response": [
        "wrong-element",
        ({ xml }) => xml.replace("<samlp:Status>", "<x:y xmlns:x='urn:x'/><samlp:Status>"),
      ],
    };
    for (const [what, [rule, attack]] of Object.entries(ofAssertion)) {
      it(what, async () => {
        const whole = parts(await signed());
        const xml = attack(whole);
        assert.notEqual(xml, whole.xml, "the attack changed nothing");
        await site.refuses(rule, posted(xml));
      });
    }
  });

  describe("by how the message is read", () => {
    const texts: Record<string, [string, (xml: string) => string]> = {
      "a comment inside the name": ["comment", (xml) => xml.replace(">alice<", ">admin<!-- -->.evil<")],
      "a comment that was signed along": ["comment", (xml) => xml.replace("<saml:Subject>", "<saml:Subject><!---->")],
      "a processing instruction inside the name": ["processing-instruction", (xml) => xml.replace(">alice<", ">admin<?x EVIL?><")],
      "a style sheet": ["processing-instruction", (xml) => `<?xml-stylesheet href="http://127.0.0.1/x"?>${xml}`],
      "a CDATA section inside the name": ["cdata", (xml) => xml.replace(">alice<", "><![CDATA[admin]]><")],
      "a document type": ["doctype", (xml) => `<!DOCTYPE a>${xml}`],
      "a document type in lower case": ["doctype", (xml) => `<!doctype a>${xml}`],
      "entities that expand without end": [
        "doctype",
        (xml) => `<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>${xml.replace(">alice<", ">&b;<")}`,
      ],
      "an entity from a file": [
        "doctype",
        (xml) => `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>${xml.replace(">alice<", ">&x;<")}`,
      ],
      "an entity from the network": ["doctype", (xml) => `<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd">${xml}`],
      "a document type behind the declaration": ["doctype", (xml) => `<?xml version="1.0"?>\n<!DOCTYPE a>${xml}`],
      "an entity in an ID": ["doctype", (xml) => `<!DOCTYPE a [<!ENTITY i "_evil">]>${xml.replace(/ ID="_a[^"]+"/, ' ID="&i;"')}`],
      "an entity that nothing defines": ["entity", (xml) => xml.replace(">alice<", ">ali&nbsp;ce<")],
      "an ampersand alone": ["entity", (xml) => xml.replace(">alice<", ">a&b<")],
      "another encoding": ["processing-instruction", (xml) => `<?xml version="1.0" encoding="utf-7"?>${xml}`],
      "XML 1.1": ["processing-instruction", (xml) => `<?xml version="1.1"?>${xml}`],
      "two roots": ["not-xml", (xml) => xml + xml],
      "an element that does not end": ["not-xml", (xml) => xml.slice(0, -10)],
      "elements without end": [
        "too-deep",
        (xml) => xml.replace("<samlp:Status>", `${"<a>".repeat(100)}${"</a>".repeat(100)}<samlp:Status>`),
      ],
      "elements without number": ["too-deep", (xml) => xml.replace("<samlp:Status>", `${"<a/>".repeat(5000)}<samlp:Status>`)],
      "more elements than a signature can be checked over quickly": [
        "too-deep",
        (xml) => xml.replace("<saml:AttributeStatement>", `<saml:AttributeStatement>${"<a/>".repeat(1900)}`),
      ],
      "namespaces without number, each in scope of everything": [
        "too-deep",
        (xml) => xml.replace("<samlp:Response ", `<samlp:Response ${numbered(60, (n) => `xmlns:n${n}="urn:n"`)} `),
      ],
      "namespaces without number, a few at each depth": [
        "too-deep",
        (xml) =>
          xml.replace(
            "<saml:AttributeStatement>",
            `<saml:AttributeStatement>${numbered(20, (n) => `<a xmlns:a${n}="urn:a" xmlns:b${n}="urn:b" xmlns:c${n}="urn:c">`)}${"</a>".repeat(20)}`,
          ),
      ],
      "attributes without number": [
        "too-deep",
        (xml) => xml.replace("<samlp:Response ", `<samlp:Response ${numbered(8000, (n) => `n${n} = '1'`)} `),
      ],
      "more attributes of one element than any has": [
        "too-deep",
        (xml) => xml.replace("<samlp:Response ", `<samlp:Response ${numbered(110, (n) => `n${n}=""`)} `),
      ],
    };
    for (const [what, [rule, attack]] of Object.entries(texts))
      it(what, async () => {
        const xml = await signed();
        const attacked = attack(xml);
        assert.notEqual(attacked, xml);
        await site.refuses(rule, posted(attacked));
      });

    it("the same inside an encrypted assertion, before it is parsed", async () => {
      const encryptFor = site.pair.certificate;
      for (const [rule, before] of [
        ["comment", (xml: string) => xml.replace(">alice<", ">admin<!-- -->.evil<")],
        ["doctype", (xml: string) => xml.replace("<saml:Subject>", "<!DOCTYPE a><saml:Subject>")],
        ["entity", (xml: string) => xml.replace(">alice<", ">&x;<")],
      ] as const)
        await site.refuses(rule, posted(await signed({}, { encryptFor, assertion: false, before })));
      await site.refuses("unsigned", posted(await signed({}, { encryptFor, assertion: false })));
      await site.refuses("unsigned", posted(await signed({}, { encryptFor, assertion: false, response: true })));
      const nested = (xml: string) => xml.replace("<saml:Subject>", '<saml:Advice><saml:Assertion ID="_x"/></saml:Advice><saml:Subject>');
      await site.refuses("many-assertions", posted(await signed({}, { encryptFor, before: nested })));
    });

    it("what is no text at all", async () => {
      await site.refuses("not-base64", "<samlp:Response/>");
      await site.refuses("not-base64", "");
      await site.refuses("not-base64", "====");
      await site.refuses("not-utf8", Buffer.from((await signed()).replace(">alice<", ">al\u00efce<"), "latin1").toString("base64"));
      await site.refuses(
        "not-utf8",
        Buffer.from(await signed(), "utf16le")
          .fill(0xd8, 0, 2)
          .toString("base64"),
      );
      await site.refuses("too-large", "A".repeat(400_000));
      await site.refuses("not-xml", posted("alice"));
    });
  });

  it("by as much work as a response can ask for: everything else goes on meanwhile", async () => {
    const evil = await newPair();
    const costly = (await signed({}, { pair: evil })).replace("<saml:AttributeStatement>", (tag) => tag + "<a/>".repeat(900));
    let looking = true;
    const refused = site.refuses("signature", posted(costly)).finally(() => {
      looking = false;
    });
    let turns = 0;
    for (; looking; turns++) await turn();
    await refused;
    assert.ok(turns > 200, `the event loop turned ${turns} times only`);
  });

  describe("by keys and algorithms", () => {
    it("a key that comes along with the signature, however it says whose it is", async () => {
      const evil = await newPair();
      await site.refuses("signature", posted(await signed({}, { pair: evil })));
      const info = `<KeyInfo><X509Data><X509Certificate>${bare(evil.certificate)}</X509Certificate></X509Data></KeyInfo>`;
      await site.refuses("signature", posted((await signed({}, { pair: evil })).replace("</Signature>", `${info}</Signature>`)));
    });

    it("an HMAC, for which the public certificate would be the key", async () => {
      for (const [rule, name] of [
        ["sha1", "http://www.w3.org/2000/09/xmldsig#hmac-sha1"],
        ["algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"],
      ] as const) {
        const xml = (await signed()).replace("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", name);
        await site.refuses(rule, posted(xml));
      }
    });

    it("another transformation: XSLT, XPath, base64, or comments kept", async () => {
      const exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
      for (const transform of [
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        `${exclusive}WithComments`,
      ])
        await site.refuses(
          "canonicalization",
          posted(
            (await signed())
              .replaceAll(`<Transform Algorithm="${exclusive}"`, `<Transform Algorithm="${transform}"`)
              .replaceAll(`<ds:Transform Algorithm="${exclusive}"`, `<ds:Transform Algorithm="${transform}"`),
          ),
        );
    });

    it("a response signed by somebody else around an assertion that is genuine", async () => {
      const genuine = await signed();
      const evil = await newPair();
      const xml = site.idp.resigned(genuine, evil);
      await site.refuses("signature", posted(xml));
    });
  });

  it("by changing any byte of what is signed: never anybody but alice", async function () {
    this.timeout(60_000);
    const xml = await signed();
    const runs = Number(process.env.SALLYPORT_FUZZ_RUNS ?? 150);
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(xml.length - 1),
        fc.constantFrom("", "a", "<", ">", '"', "&", "\u0000", " ", "/", "&#0;", "<a/>", "<!---->"),
        async (at, text) => {
          const mutated = xml.slice(0, at) + text + xml.slice(at + 1);
          const outcome = await site.signIn.accept(posted(mutated)).catch((error) => {
            assert.equal(error.name, "Refusal", error.stack);
            return undefined;
          });
          // What lies outside of the signature may change; who is signed in may not.
          if (outcome !== undefined) accepted++;
          if (outcome !== undefined)
            assert.deepEqual([outcome.verified.principal, outcome.verified.groups], ["staff/alice", ["staff/release-team"]]);
        },
      ),
      { numRuns: runs, seed: 26 },
    );
    assert.ok(accepted <= 1, "one response was accepted more than once");
  });
});
