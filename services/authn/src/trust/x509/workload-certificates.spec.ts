import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { certificateThumbprint, jwkThumbprint } from "@sallyport/identity";
import { parseConfig } from "@sallyport/service";
import { newHolder, refuses } from "../../authn.fixture.ts";
import { Authority } from "./authority.fixture.ts";
import { configuredCertificates } from "./configured-certificates.ts";

const id = "spiffe://mesh.example.org/ns/release/sa/bot";

describe("a workload's certificate", () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-x509-"));
  const bundle = join(folder, "bundle.pem");
  let root: Authority;
  let stranger: Authority;
  before(async () => {
    root = await Authority.root("mesh");
    stranger = await Authority.root("mesh");
    writeFileSync(bundle, root.pem);
  });
  after(() => rmSync(folder, { recursive: true }));

  const certificates = (more = "trustDomain: mesh.example.org", now = Date.now) => {
    const text = `version: 1\ntrustDomain: example.internal\ntrust: { x509: [{ name: mesh, bundle: ${bundle}, ${more} }] }\n`;
    return configuredCertificates(parseConfig(text, "sallyport.yaml").trust.x509, now);
  };
  const shown = async (holder: { pem: string; publicKey: CryptoKey }, more?: string, now?: () => number) => {
    const jwk = await crypto.subtle.exportKey("jwk", holder.publicKey);
    return certificates(more, now).identity(holder.pem, jwk.crv === undefined ? "none" : jwkThumbprint(jwk as Record<string, unknown>));
  };
  /** Fails unless it is refused by this rule. */
  const refused = async (rule: string, showing: Promise<unknown>) => {
    const refusal = await refuses("UNAUTHENTICATED", showing);
    assert.equal(refusal.metadata.x509, rule, refusal.message);
  };

  it("proves the SPIFFE ID of its trust domain, until it ends, by its own key alone", async () => {
    const svid = await root.issue({ uri: [id], seconds: 3600 });
    const { principal, provider, sessionEnds } = await shown(svid);
    assert.deepEqual([principal, provider.kind, provider.protocol], ["mesh/ns/release/sa/bot", "service", "X.509"]);
    assert.ok((sessionEnds ?? 0) > Date.now() && (sessionEnds ?? 0) <= Date.now() + 3_600_000);
    await refused("key", certificates().identity(svid.pem, newHolder().thumbprint));
    const rsa = await root.issue({ uri: [id], rsa: true });
    await refused("key-kind", shown(rsa));
    // Where TLS has proven the certificate's key, the session may have another.
    const connection = certificateThumbprint(new Uint8Array(rsa.certificate.rawData));
    assert.equal((await certificates().identity(rsa.pem, newHolder().thumbprint, connection)).principal, principal);
    await refused("key", certificates().identity(svid.pem, newHolder().thumbprint, connection));
  });

  it("comes by way of an authority between, shown along with it or in the bundle", async () => {
    const between = await root.authority({ pathLength: 0 });
    const svid = await between.issue({ uri: [id] });
    await refused("untrusted", shown(svid));
    assert.equal((await shown({ ...svid, pem: svid.pem + between.pem })).principal, "mesh/ns/release/sa/bot");
    // In any order, and with others that have no part in it.
    assert.equal((await shown({ ...svid, pem: svid.pem + stranger.pem + between.pem })).principal, "mesh/ns/release/sa/bot");
    await refused("path-length", shown(await deeper(between)));
  });

  const deeper = async (above: Authority) => {
    const below = await above.authority({});
    const svid = await below.issue({ uri: [id] });
    return { ...svid, pem: svid.pem + below.pem + above.pem };
  };

  it("is refused where its authority is not in the bundle, whatever it is called and whatever is shown along with it", async () => {
    const svid = await stranger.issue({ uri: [id] });
    await refused("untrusted", shown(svid));
    await refused("untrusted", shown({ ...svid, pem: svid.pem + stranger.pem }));
    await refused("untrusted", shown({ ...svid, pem: svid.pem + root.pem }));
    // A workload is no authority, though its own certificate is good.
    const workload = await root.issue({ uri: [id] });
    const child = await Authority.of(workload).issue({ uri: ["spiffe://mesh.example.org/admin"] });
    await refused("untrusted", shown({ ...child, pem: child.pem + workload.pem }));
    const signer = await root.issue({ uri: [id], usage: "sign" });
    const signed = await Authority.of(signer).issue({ uri: ["spiffe://mesh.example.org/admin"] });
    await refused("not-a-ca", shown({ ...signed, pem: signed.pem + signer.pem }));
  });

  it("is refused by each rule of its own", async () => {
    await refused("trust-domain", shown(await root.issue({ uri: ["spiffe://mesh.example.org.evil.example/ns/release/sa/bot"] })));
    await refused("trust-domain", shown(await root.issue({ uri: ["spiffe://mesh.example.org/ns/../admin"] })));
    await refused("trust-domain", shown(await root.issue({ uri: ["spiffe://mesh.example.org"] })));
    await refused("name", shown(await root.issue({ uri: [id, "spiffe://mesh.example.org/admin"] })));
    await refused("name", shown(await root.issue({ dns: ["bot.example.org"] })));
    await refused("is-a-ca", shown(await root.issue({ uri: [id], authority: true })));
    await refused("key-usage", shown(await root.issue({ uri: [id], usage: "none" })));
    await refused("key-usage", shown(await root.issue({ uri: [id], purpose: "server" })));
    await refused("critical-extension", shown(await root.issue({ uri: [id], critical: true })));
    await refused("algorithm", shown(await root.issue({ uri: [id], hash: "SHA-1" })));
    await refused(
      "expired",
      shown(await root.issue({ uri: [id], seconds: 60 }), undefined, () => Date.now() + 61_000),
    );
    await refused(
      "expired",
      shown(await root.issue({ uri: [id] }), undefined, () => Date.now() - 2 * 86_400_000),
    );
    for (const text of ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", root.pem.repeat(6), "A".repeat(40_000)])
      await refused("malformed", certificates().identity(text, "x"));
  });

  it("is refused where its name is not among those that may sign in; and other kinds of names are taken where they are meant", async () => {
    const more = 'trustDomain: mesh.example.org, allow: ["spiffe://mesh.example.org/ns/release/**"]';
    await shown(await root.issue({ uri: [id] }), more);
    await refused("not-allowed", shown(await root.issue({ uri: ["spiffe://mesh.example.org/ns/release-evil/sa/bot"] }), more));
    const dns = await shown(await root.issue({ dns: ["bot.example.org"] }), "subject: dns, kind: pipeline");
    assert.deepEqual([dns.principal, dns.provider.kind], ["mesh/bot.example.org", "pipeline"]);
  });

  it("counts by the bundle as it is now: an authority that was added, or taken out", async () => {
    const trusted = certificates();
    const svid = await stranger.issue({ uri: [id] });
    const thumbprint = jwkThumbprint((await crypto.subtle.exportKey("jwk", svid.publicKey)) as Record<string, unknown>);
    await refused("untrusted", trusted.identity(svid.pem, thumbprint));
    writeFileSync(bundle, root.pem + stranger.pem);
    await trusted.identity(svid.pem, thumbprint);
    writeFileSync(bundle, root.pem);
    await refused("untrusted", trusted.identity(svid.pem, thumbprint));
    writeFileSync(bundle, "half a file");
    await refuses("TARGET_UNAVAILABLE", trusted.identity(svid.pem, thumbprint));
    assert.throws(() => certificates(), { name: "Refusal", reason: "INVALID_REQUEST" });
    writeFileSync(bundle, root.pem);
  });
});
