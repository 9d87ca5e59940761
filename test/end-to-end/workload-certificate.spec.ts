import assert from "node:assert/strict";
import { KeyObject } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { BrokerService, ExchangeRequestSchema, TokenService } from "@sallyport/contracts";
import { Agent, openChannel, ProofMaker, Refusal } from "@sallyport/sdk";
import { Authority, type Issued } from "../../services/authn/src/trust/x509/authority.fixture.ts";
import { type Evidence, evidenceOnce } from "../faults/evidence-log.ts";
import { embeddedSite, orders, type Site } from "../faults/site.ts";
import { refusalOf } from "../faults/told.ts";
import { removeScratch, scratchFolder } from "../support/process/scratch.ts";

const tokenType = "urn:sallyport:token-type:x509";

describe("a workload signs in by its certificate", () => {
  let site: Site;
  let authority: Authority;
  let svid: Issued;
  const folder = scratchFolder("x509");
  before(async function () {
    this.timeout(120_000);
    authority = await Authority.root("mesh");
    svid = await authority.issue({ uri: ["spiffe://mesh.example.org/ns/release/sa/bot"] });
    const bundle = join(folder, "bundle.pem");
    writeFileSync(bundle, authority.pem);
    site = await embeddedSite({
      configure: (config) => {
        config.trust.x509 = [{ name: "mesh", bundle, trustDomain: "mesh.example.org" }];
      },
    });
  });
  after(async () => {
    await site?.stop();
    removeScratch(folder);
  });

  const pemOf = (key: CryptoKey) => KeyObject.from(key as never).export({ type: "pkcs8", format: "pem" }) as string;
  const signIn = (issued: Issued, key = new ProofMaker(KeyObject.from(issued.privateKey as never))) =>
    Agent.signIn({
      endpoints: site.endpoints,
      subjectToken: issued.pem,
      subjectTokenType: tokenType,
      name: "release",
      ceiling: orders,
      key,
    });

  it("with its key as the agent's key, at the door for everybody", async () => {
    const agent = await signIn(svid);
    try {
      assert.equal(agent.id, "mesh/ns/release/sa/bot#release");
      const records = await evidenceOnce(site.log, "the sign-in", (all) => all.some(({ auth_protocol }) => auth_protocol === "X.509"));
      assert.ok(records.some(({ auth_protocol, status }) => auth_protocol === "X.509" && status === "Success"));
    } finally {
      agent.close();
    }
  });

  it("and not with another key, nor with a certificate of another authority", async () => {
    assert.equal((await refusalOf(() => signIn(svid, ProofMaker.generate()))).metadata.x509, "key");
    const other = await (await Authority.root("mesh")).issue({ uri: ["spiffe://mesh.example.org/ns/release/sa/bot"] });
    assert.equal((await refusalOf(() => signIn(other))).metadata.x509, "untrusted");
    const refusals = (all: Evidence[]) =>
      all.filter(({ metadata, status }) => metadata.event_code === "session.start" && status === "Failure");
    const records = refusals(await evidenceOnce(site.log, "both refusals", (all) => refusals(all).length >= 2));
    assert.deepEqual(new Set(records.map(({ auth_protocol }) => auth_protocol)), new Set(["X.509"]));
  });

  describe("at the door for client certificates", () => {
    const channelOf = (issued: Issued) =>
      openChannel(site.endpoints.mtls?.authn ?? "", site.endpoints.ca, undefined, {
        key: pemOf(issued.privateKey),
        certificate: issued.pem,
      });

    /** By the connection's certificate, for another key of the agent's own. */
    const exchangeAt = async (issued: Issued, shown: string) => {
      const channel = channelOf(issued);
      const key = ProofMaker.generate();
      const message = create(ExchangeRequestSchema, {
        subjectToken: shown,
        subjectTokenType: tokenType,
        agentName: "release",
        ceiling: orders,
      });
      const request = toBinary(ExchangeRequestSchema, message);
      const htu = `${site.endpoints.audience}/${TokenService.typeName}/Exchange`;
      const onHeaders = (headers: ReadonlyMap<string, string>) => {
        const nonce = headers.get("dpop-nonce");
        if (nonce !== undefined) key.remember(nonce);
      };
      try {
        for (let tries = 0; ; tries++) {
          try {
            return await channel.client(TokenService).exchange(message, { headers: { dpop: key.prove({ htu, request }) }, onHeaders });
          } catch (error) {
            if (!(error instanceof Refusal) || error.reason !== "PROOF_REQUIRED" || tries > 0) throw error;
          }
        }
      } finally {
        channel.close();
      }
    };

    it("its session may have a key of its own, as TLS has proven the certificate's; also where that is RSA", async () => {
      for (const issued of [svid, await authority.issue({ uri: ["spiffe://mesh.example.org/ns/release/sa/bot"], rsa: true })]) {
        const { credential } = await exchangeAt(issued, issued.pem);
        assert.equal(credential?.chain?.links.at(0)?.id, "mesh/ns/release/sa/bot");
      }
    });

    it("somebody else's certificate is not shown for one's own", async () => {
      const other = await authority.issue({ uri: ["spiffe://mesh.example.org/ns/other/sa/bot"] });
      assert.equal((await refusalOf(() => exchangeAt(other, svid.pem))).metadata.x509, "key");
    });

    it("a workload's certificate alone opens nothing: no agent's credential is bound to it", async () => {
      const channel = channelOf(svid);
      const agent = await site.agent("bound", orders, { binding: "mtls" });
      try {
        const { token } = agent.session.credential;
        const list = (headers: Record<string, string>) => channel.client(BrokerService).list({}, { headers });
        assert.equal((await refusalOf(() => list({}))).reason, "UNAUTHENTICATED");
        assert.equal((await refusalOf(() => list({ authorization: `Bearer ${token}` }))).reason, "PROOF_INVALID");
      } finally {
        channel.close();
      }
    });
  });
});
