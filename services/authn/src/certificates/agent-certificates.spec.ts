import assert from "node:assert/strict";
import { createPublicKey, X509Certificate } from "node:crypto";
import { certificateThumbprint } from "@sallyport/identity";
import { agentsCa, newHolder, ShiftedClock } from "../authn.fixture.ts";
import { AgentCertificates } from "./agent-certificates.ts";

describe("an agent's client certificate", () => {
  const clock = new ShiftedClock();
  const issue = async (algorithm: "ES256" | "EdDSA") => {
    const ca = await agentsCa();
    const certificates = await AgentCertificates.load(ca.keyPem, ca.certificatePem, "example.internal", clock);
    const holder = newHolder(algorithm);
    const expiresAt = Math.floor(clock.now() / 1000) + 600;
    const issued = await certificates.issue(holder.publicJwk, "A".repeat(22), expiresAt);
    const [leaf = "", issuer = ""] = issued.chainPem.split(/(?<=-----END CERTIFICATE-----\n)/);
    return { holder, issued, expiresAt, leaf: new X509Certificate(leaf), issuer: new X509Certificate(issuer) };
  };

  for (const algorithm of ["ES256", "EdDSA"] as const) {
    it(`is for the holder's own ${algorithm} key, signed by the agents' authority`, async () => {
      const { holder, leaf, issuer } = await issue(algorithm);
      assert.ok(leaf.verify(issuer.publicKey));
      assert.ok(leaf.publicKey.equals(createPublicKey({ key: { ...holder.publicJwk }, format: "jwk" } as never)));
    });
  }

  it("names the session, is for clients only, is no authority, and ends with the credential", async () => {
    const { leaf, expiresAt, issued } = await issue("ES256");
    assert.equal(leaf.subjectAltName, `URI:spiffe://example.internal/agent/${"A".repeat(22)}`);
    assert.deepEqual(leaf.keyUsage, ["1.3.6.1.5.5.7.3.2"]);
    assert.equal(leaf.ca, false);
    assert.equal(Date.parse(leaf.validTo), expiresAt * 1000);
    assert.equal(issued.thumbprint, certificateThumbprint(leaf.raw));
  });
});
