import assert from "node:assert/strict";
import { calculateJwkThumbprint } from "jose";
import { isThumbprint, jwkThumbprint, ProofMaker } from "./index.ts";

describe("a key's thumbprint", () => {
  it("is the example's in RFC 8037, appendix A.3", () => {
    const jwk = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", kid: "ignored" };
    assert.equal(jwkThumbprint(jwk), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  });

  it("is what jose computes (RFC 7638)", async () => {
    for (const algorithm of ["ES256", "EdDSA"] as const) {
      const maker = ProofMaker.generate(algorithm);
      assert.equal(maker.thumbprint, await calculateJwkThumbprint(maker.publicJwk));
      assert.ok(isThumbprint(maker.thumbprint));
    }
  });
});
