import assert from "node:assert/strict";
import fc from "fast-check";
import { Frontier } from "./frontier.ts";
import { emptyRoot, type Hash, leafHash } from "./hash.ts";
import { consistencyProof, inclusionProof, rootOf, verifyConsistency, verifyInclusion } from "./proof.ts";

/** The reference inputs and roots of Certificate Transparency's own test suite (certificate-transparency, merkle_tree_test). */
const entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const roots = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

const treeOf = (leaves: Hash[]) => ({ size: leaves.length, leaf: (index: number) => leaves[index] as Hash });
const leaves = entries.map((hex) => leafHash(Buffer.from(hex, "hex")));
const someTree = fc
  .integer({ min: 1, max: 80 })
  .map((size) => treeOf(Array.from({ length: size }, (_, at) => leafHash(Buffer.from(`${at}`)))));

describe("the Merkle tree", () => {
  it("has the roots that Certificate Transparency's reference tree has", () => {
    const frontier = new Frontier();
    assert.equal(frontier.root().toString("hex"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert.ok(frontier.root().equals(emptyRoot));
    for (const [at, leaf] of leaves.entries()) {
      frontier.add(leaf);
      assert.equal(frontier.root().toString("hex"), roots[at]);
      assert.equal(rootOf(treeOf(leaves), 0, at + 1).toString("hex"), roots[at]);
    }
  });

  it("has the proofs of the reference tree", () => {
    const tree = treeOf(leaves);
    const hex = (proof: Hash[]) => proof.map((hash) => hash.toString("hex"));
    assert.deepEqual(hex(inclusionProof(tree, 5, 8)), [
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]);
    assert.deepEqual(hex(consistencyProof(tree, 6, 8)), [
      "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]);
  });

  it("proves every leaf in every tree, and nothing else", () => {
    fc.assert(
      fc.property(someTree, fc.nat(), fc.nat(), (tree, a, b) => {
        const size = 1 + (a % tree.size);
        const index = b % size;
        const proof = inclusionProof(tree, index, size);
        const root = rootOf(tree, 0, size);
        assert.ok(verifyInclusion(proof, tree.leaf(index), index, size, root));
        assert.ok(!verifyInclusion(proof, leafHash(Buffer.from("other")), index, size, root));
        if (size > 1) assert.ok(!verifyInclusion(proof, tree.leaf(index), (index + 1) % size, size, root));
        assert.ok(!verifyInclusion([...proof, root], tree.leaf(index), index, size, root));
        if (proof.length > 0) assert.ok(!verifyInclusion(proof.slice(1), tree.leaf(index), index, size, root));
      }),
      { numRuns: 150 },
    );
  });

  it("proves that a tree only grew, and refuses another history", () => {
    fc.assert(
      fc.property(someTree, fc.nat(), fc.nat(), (tree, a, b) => {
        const second = 1 + (a % tree.size);
        const first = 1 + (b % second);
        const proof = consistencyProof(tree, first, second);
        const [one, two] = [rootOf(tree, 0, first), rootOf(tree, 0, second)];
        assert.ok(verifyConsistency(proof, first, one, second, two));
        const other = leafHash(Buffer.from("other"));
        assert.ok(!verifyConsistency(proof, first, other, second, two));
        assert.ok(!verifyConsistency(proof, first, one, second, other));
        assert.ok(!verifyConsistency([...proof, other], first, one, second, two));
      }),
      { numRuns: 150 },
    );
  });

  it("takes perfect subtrees whole", () => {
    fc.assert(
      fc.property(someTree, (tree) => {
        const one = new Frontier();
        const other = new Frontier();
        for (let at = 0; at < tree.size; at++) one.add(tree.leaf(at));
        const whole = tree.size - (tree.size % 8);
        for (let at = 0; at < whole; at += 8) other.addSubtree(rootOf(tree, at, at + 8), 3);
        for (let at = whole; at < tree.size; at++) other.add(tree.leaf(at));
        assert.deepEqual([other.size, other.root()], [one.size, one.root()]);
      }),
    );
  });
});
