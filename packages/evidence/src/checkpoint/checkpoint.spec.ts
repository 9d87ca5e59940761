import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { leafHash } from "../merkle/hash.ts";
import { openCheckpoint, signCheckpoint } from "./checkpoint.ts";
import { noteSigner, openNote, parseVerifierKey, signNote, verifierKey } from "./signed-note.ts";

describe("a signed note", () => {
  // The example of golang.org/x/mod/sumdb/note, which C2SP signed-note describes.
  const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  const note = `${text}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;
  const verifier = parseVerifierKey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");

  it("opens as the reference implementation's does", () => {
    assert.ok(verifier !== undefined);
    assert.equal(openNote(note, verifier), text);
    assert.equal(verifierKey(verifier), "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
  });

  it("does not open when a byte of it differs, or nobody known signed it", () => {
    assert.ok(verifier !== undefined);
    assert.equal(openNote(note.replace("problem is", "problem was"), verifier), undefined);
    assert.equal(openNote(note.replace("PeterNeumann", "EnochRoot"), verifier), undefined);
    assert.equal(openNote(text, verifier), undefined);
    assert.equal(parseVerifierKey("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"), undefined);
  });

  it("opens beside other people's signatures", () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const signer = noteSigner("witness.example/1", privateKey);
    const cosigned = `${note}${signNote(text, signer).slice(text.length + 1)}`;
    assert.equal(openNote(cosigned, signer), text);
    assert.ok(verifier !== undefined);
    assert.equal(openNote(cosigned, verifier), text);
  });
});

describe("a checkpoint", () => {
  const signer = noteSigner("example.internal/evidence/1", generateKeyPairSync("ed25519").privateKey);
  const checkpoint = { origin: signer.name, size: 7, root: leafHash(Buffer.from("x")) };

  it("says origin, size and root, and comes back", () => {
    const note = signCheckpoint(checkpoint, signer);
    assert.match(note, /^example\.internal\/evidence\/1\n7\n[A-Za-z0-9+/]{43}=\n\n— example\.internal\/evidence\/1 [A-Za-z0-9+/=]+\n$/);
    assert.deepEqual(openCheckpoint(note, signer), checkpoint);
  });

  it("of another log is refused, though the same key signed it", () => {
    const note = signCheckpoint({ ...checkpoint, origin: "other.example/log" }, signer);
    assert.equal(openCheckpoint(note, signer), undefined);
  });

  it("with a size that is no number is refused", () => {
    for (const size of ["07", "-1", "1e3", "9007199254740993", ""]) {
      assert.equal(openCheckpoint(signNote(`${signer.name}\n${size}\n${checkpoint.root.toString("base64")}\n`, signer), signer), undefined);
    }
  });
});
