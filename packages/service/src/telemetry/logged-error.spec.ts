import assert from "node:assert/strict";
import { createLogger } from "./logger.ts";

describe("an error in a log line", () => {
  const logged = (fields: object): string => {
    const lines: string[] = [];
    createLogger({ destination: { write: (line) => lines.push(line) } }).warn(fields, "failed");
    return lines.join("");
  };

  it("MASK-17: says what it is, without what a parser attached to it or quotes in its message", () => {
    const canary = "snk-4411-QWER";
    const unparsed = (() => {
      try {
        return JSON.parse(`${canary} is no JSON`);
      } catch (error) {
        return error;
      }
    })();
    const http = Object.assign(new Error("no valid HTTP"), { code: "HPE_INVALID", data: canary, response: { body: canary } });
    for (const error of [unparsed, http, new Error("outside", { cause: http }), new AggregateError([unparsed, http], "both")]) {
      for (const name of ["err", "cause"]) {
        const line = logged({ [name]: error });
        assert.doesNotMatch(line, new RegExp(canary));
        assert.match(line, /"type":"\w*Error"/);
      }
    }
    assert.match(logged({ cause: http }), /no valid HTTP.*HPE_INVALID.*logged-error\.spec/);
  });

  it("ends where causes go round in a circle", () => {
    const error = new Error("round");
    error.cause = error;
    assert.match(logged({ err: error }), /round/);
  });
});
