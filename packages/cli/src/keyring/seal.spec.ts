import assert from "node:assert/strict";
import fc from "fast-check";
import { newSealKey, seal, unseal } from "./seal.ts";

describe("a seal", () => {
  const key = newSealKey();

  const texts = fc.array(fc.integer({ min: 0, max: 0xd7ff })).map((codes) => String.fromCharCode(...codes));

  it("opens to what was sealed, and shows nothing of it", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const sealed = seal(key, "default", text);
        assert.equal(unseal(key, "default", sealed), text);
        assert.notEqual(seal(key, "default", text), sealed);
        assert.ok(text.length < 8 || !Buffer.from(sealed, "base64url").includes(text));
      }),
    );
  });

  it("opens by no other key, under no other name, and not where a byte was changed or is missing", () => {
    const sealed = seal(key, "default", '{"privateKey":"…"}');
    assert.throws(() => unseal(newSealKey(), "default", sealed));
    assert.throws(() => unseal(key, "other", sealed));
    const bytes = Buffer.from(sealed, "base64url");
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.throws(() => unseal(key, "default", changed.toString("base64url")), `byte ${at}`);
      assert.throws(() => unseal(key, "default", bytes.subarray(0, at).toString("base64url")), `${at} bytes`);
    }
  });
});
