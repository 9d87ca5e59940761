import assert from "node:assert/strict";
import { Refusal } from "@sallyport/contracts";
import { parseAgentId, parseAgentName, parseCeilingName, parseGroup, parsePrincipalId, parseProvider, parseSessionId } from "./index.ts";

const refused = (parse: (text: string) => string, text: string) =>
  assert.throws(
    () => parse(text),
    (error) => error instanceof Refusal && error.reason === "INVALID_REQUEST",
    JSON.stringify(text),
  );

describe("names", () => {
  it("of principals are a provider and one visible word", () => {
    for (const good of ["corp/alice", "corp/Müller", "k8s/system:serviceaccount:ci:runner", "github/repo:org/app:ref:refs/heads/main"]) {
      assert.equal(parsePrincipalId(good), good);
    }
    for (const bad of ["", "alice", "corp/", "/alice", "Corp/alice", "corp/al ice", "corp/a#b", "corp/a\n", `corp/${"x".repeat(201)}`]) {
      refused(parsePrincipalId, bad);
    }
  });

  it("that look like another are refused: bidi, zero-width, fillers, decomposed letters", () => {
    for (const bad of [
      "corp/al\u202eice",
      "corp/ali\u200bce",
      "corp/alice\u3164",
      "corp/alice\u00ad",
      "corp/Mu\u0308ller",
      "corp/a\u00a0b",
      "corp/\ud800",
    ]) {
      refused(parsePrincipalId, bad);
    }
  });

  it("of providers, agents, groups and sessions have their forms", () => {
    assert.equal(parseProvider("corp-1"), "corp-1");
    assert.equal(parseAgentName("deploy-2.x_y"), "deploy-2.x_y");
    assert.equal(parseAgentId("corp/alice#release/deploy"), "corp/alice#release/deploy");
    assert.equal(parseGroup("corp/Release Team"), "corp/Release Team");
    assert.equal(parseSessionId("AAAAAAAAAAAAAAAAAAAAAA"), "AAAAAAAAAAAAAAAAAAAAAA");
    for (const bad of ["", "corp/x", "C", "x".repeat(33)]) refused(parseProvider, bad);
    for (const bad of ["", "-x", "A", "a/b", "a#b", "x".repeat(64), "a\n"]) refused(parseAgentName, bad);
    for (const bad of ["corp/alice", "corp/alice#", "corp/alice#a//b", "corp/alice#a/", "alice#a", "corp/alice#a#b"])
      refused(parseAgentId, bad);
    for (const bad of ["team", "corp/", "corp/ team", "corp/a  b", "corp/a\tb"]) refused(parseGroup, bad);
    for (const bad of ["", "A".repeat(21), "A".repeat(23), "AAAAAAAAAAAAAAAAAAAAA="]) refused(parseSessionId, bad);
  });

  it("in ceilings are exact, or end at a segment's edge", () => {
    for (const good of ["*", "prod/*", "prod/orders/api", "orders-api", "@scope/pkg"]) assert.equal(parseCeilingName(good), good);
    for (const bad of ["", "/*", "prod*", "prod/**", "*/x", "a/*/b", "a//b", "a/", "/a", "a/../b", "./a", "a b", "a\\b"])
      refused(parseCeilingName, bad);
  });
});
