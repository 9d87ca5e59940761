import assert from "node:assert/strict";
import { printable, Refusal, reasons, refusalFrom, statusBytesOf, statusOf } from "./index.ts";

describe("a refusal on the wire", () => {
  it("comes back with the same reason, sentence, metadata and delay", () => {
    const sent = new Refusal("RATE_LIMITED", "Too many tickets; wait a moment.", { metadata: { limit: "10" }, retryAfterMs: 1500 });
    const received = refusalFrom(sent.code, sent.message, statusBytesOf(sent));
    assert.deepEqual(
      [received.reason, received.message, received.metadata, received.retryAfterMs],
      ["RATE_LIMITED", "Too many tickets; wait a moment.", { limit: "10" }, 1500],
    );
  });

  it("leaves its cause behind", () => {
    const refusal = new Refusal("STORE_UNAVAILABLE", "The store did not answer.", { cause: new Error("canary-4711") });
    assert.ok(!Buffer.from(statusBytesOf(refusal)).includes("canary-4711"));
    assert.equal(statusOf(refusal).details.length, 1);
  });

  it("is a failure even where the details cannot be read", () => {
    assert.equal(refusalFrom(reasons.DENIED_BY_POLICY.code, "no", Uint8Array.of(255, 1)).reason, "DENIED_BY_POLICY");
    assert.equal(refusalFrom(999, "?").reason, "INTERNAL");
  });
});

describe("a caller's text in a sentence", () => {
  it("cannot forge a line, drive a terminal or reverse what is read", () => {
    assert.equal(
      printable('a\n{"event":"approved"}\u001b[2J\u202e\u200b\u2028'),
      'a\\u{a}{"event":"approved"}\\u{1b}[2J\\u{202e}\\u{200b}\\u{2028}',
    );
  });

  it("is shortened visibly, and ordinary text stays as it is", () => {
    assert.equal(printable("x".repeat(500), 10), `${"x".repeat(10)}…`);
    assert.equal(printable("prod/orders/api – Müller"), "prod/orders/api – Müller");
  });
});
