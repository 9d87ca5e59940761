import assert from "node:assert/strict";
import { keyCode, ProofMaker } from "./index.ts";

describe("a key's code", () => {
  it("is the first 40 bits of its thumbprint", () => {
    const of = (hex: string) => keyCode(Buffer.from(hex.padEnd(64, "0"), "hex").toString("base64url"));
    assert.deepEqual(
      [of("0000000000"), of("ffffffffff"), of("0000000001"), of("8000000020")],
      ["0000-0000", "ZZZZ-ZZZZ", "0000-0001", "G000-0010"],
    );
  });

  it("differs from key to key, and has no letter that is taken for another", () => {
    const codes = Array.from({ length: 50 }, () => keyCode(ProofMaker.generate().thumbprint));
    assert.equal(new Set(codes).size, 50);
    for (const code of codes) assert.match(code, /^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/);
  });
});
