import assert from "node:assert/strict";
import { Refusal } from "@sallyport/contracts";
import type { TargetConfig } from "../catalogue/catalogue.ts";
import { toolHeaders, withoutInjected } from "./tool-headers.ts";

const sent = (...headers: [string, string][]) => toolHeaders(headers).sent.map(({ name }) => name);
const injecting = (inject: object) => ({ inject }) as TargetConfig;

describe("a tool's headers", () => {
  it("lose what was for the connection, and what Connection names", () => {
    const kept = sent(
      ...(["host", "content-length", "te", "keep-alive", "proxy-authorization", "accept-encoding", "range"].map((name) => [name, "x"]) as [
        string,
        string,
      ][]),
      ["connection", "close, X-Mine"],
      ["x-mine", "1"],
      ["x-other", "2"],
      ["accept", "*/*"],
    );
    assert.deepEqual(kept, ["x-other", "accept"]);
  });

  it("keep what nobody here knows, for the one parser to refuse by name", () => {
    assert.deepEqual(sent(["x-forwarded-for", "1.1.1.1"], ["forwarded", "for=x"], ["x-http-method-override", "DELETE"]), [
      "x-forwarded-for",
      "forwarded",
      "x-http-method-override",
    ]);
  });

  it("lose the one that the target's configuration sets, in any spelling, and no other", () => {
    const headers = toolHeaders([
      ["authorization", "Bearer dummy"],
      ["x_api-key", "dummy"],
      ["accept", "*/*"],
    ]).sent;
    const names = (config: TargetConfig | undefined) => withoutInjected(headers, config).map(({ name }) => name);
    assert.deepEqual(names(injecting({ bearer: "token" })), ["x_api-key", "accept"]);
    assert.deepEqual(names(injecting({ header: { name: "X-Api-Key", field: "token" } })), ["authorization", "accept"]);
    assert.deepEqual(names(undefined), ["authorization", "x_api-key", "accept"]);
  });

  it("say for which target and approval, once each", () => {
    const { target, accessRequest } = toolHeaders([
      ["sallyport-target", "orders-api"],
      ["sallyport-access-request", "id-1"],
    ]);
    assert.deepEqual([target, accessRequest], ["orders-api", "id-1"]);
    const twice: [string, string][] = [
      ["sallyport-access-request", "a"],
      ["sallyport-access-request", "b"],
    ];
    assert.throws(
      () => toolHeaders(twice),
      (error) => error instanceof Refusal && error.reason === "INVALID_REQUEST",
    );
  });
});
