import assert from "node:assert/strict";
import { Refusal } from "@sallyport/contracts";
import fc from "fast-check";
import { type Handover, readHandover, writeHandover } from "./handover.ts";

const handover: Handover = { ticket: "t.i.cket", authn: "127.0.0.1:7443", broker: "[::1]:7443", audience: "https://example.internal" };
const ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const encoded = (value: unknown) => `sallyport-ticket:${Buffer.from(JSON.stringify(value)).toString("base64url")}`;

describe("an enrolment's handover", () => {
  it("is one line that reads back as it was written", () => {
    for (const written of [handover, { ...handover, ca }]) {
      const line = writeHandover(written);
      assert.doesNotMatch(line, /[\s]/);
      assert.deepEqual(readHandover(`${line}\r\n`), written);
    }
  });

  it("holds nothing but what a handover has", () => {
    assert.deepEqual(readHandover(encoded({ ...handover, more: 1 })), handover);
  });

  it("is refused where a part is missing or is none", () => {
    const { ticket, ...endpoints } = handover;
    const wrong = [
      endpoints,
      { ...handover, ticket: "" },
      { ...handover, ticket: 7 },
      { ...handover, authn: "127.0.0.1" },
      { ...handover, broker: "https://broker:7443/path" },
      { ...handover, audience: "example" },
      { ...handover, ca: "not a certificate" },
      null,
      [],
      "text",
    ];
    for (const value of wrong) refused(encoded(value));
    refused(writeHandover(handover).slice("sallyport-ticket:".length));
  });

  it("is refused with its reason, whatever the line is, and never quoted", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `sallyport-ticket:${text}`),
        ),
        (line) => refused(line),
      ),
    );
  });
});

function refused(line: string): void {
  assert.throws(
    () => readHandover(line),
    (error) => error instanceof Refusal && error.reason === "TICKET_INVALID" && !error.message.includes("\n"),
  );
}
