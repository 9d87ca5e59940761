import assert from "node:assert/strict";
import { operationOf, type Sketch, targetConfig } from "./inject/targets.fixture.ts";
import { unfit, withUpload } from "./operation.ts";

const rules = `    inject: { bearer: token }
    rules:
      - { preset: no-callbacks }
      - { name: small-refunds, when: { methods: [POST], path: /v1/refunds }, require: { json: { /cents: { max: 5000, min: 1 } } }, because: Larger refunds are made by people. }
      - { name: own-tenant, require: { query: { tenant: { equals: mine, optional: true } } }, because: This agent works for one tenant. }`;
const config = targetConfig(1, rules, ["token"]);
const json = { "content-type": "application/json" };
const refund = (body: string, more: Sketch = {}) =>
  operationOf(config, { method: "POST", path: "/v1/refunds", headers: json, body, ...more });

describe("a target's guardrail rules", () => {
  it("let pass what they are not about, and block what they are, by name and with a sentence; nothing is sent", () => {
    assert.equal(unfit(refund('{"cents":1999}')), undefined);
    const refusal = unfit(refund('{"cents":5001}'));
    assert.equal(refusal?.reason, "GUARDRAIL_BLOCKED");
    assert.equal(refusal?.message, 'Rule "small-refunds" at target "api" blocks this: Larger refunds are made by people.');
    assert.deepEqual(refusal?.metadata, { rule: "small-refunds", effect: "none" });
    assert.equal(unfit(refund('{"cents":1,"callback_url":"https://evil.example"}'))?.metadata.rule, "no-callbacks");
    assert.equal(unfit(operationOf(config, { path: "/v1/orders" })), undefined);
  });

  it("POLI-09: judge what is sent: the body of one meaning goes on byte for byte, one of two meanings does not", () => {
    const body = '{ "cents" : 1.999e3, "note": "\\u00e9" }';
    const operation = refund(body);
    assert.equal(unfit(operation), undefined);
    assert.equal(Buffer.from(operation.body).toString(), body);
    for (const twice of ['{"cents":1,"cents":9999}', '{"cents":1,"c\\u0065nts":9999}', '{"cents":1,"Cents":9999}'])
      assert.match(unfit(refund(twice))?.message ?? "", /must be looked at/, twice);
  });

  it("PROX-05: judge every value of what they look at, or block it", () => {
    assert.equal(unfit(operationOf(config, { path: "/v1/orders?tenant=mine&id=1&id=2" })), undefined);
    assert.equal(unfit(operationOf(config, { path: "/v1/orders?tenant=other" }))?.metadata.rule, "own-tenant");
    for (const query of ["tenant=mine&tenant=other", "tenant=other&tenant=mine", "tenant=mine&TENANT=other"])
      assert.match(unfit(operationOf(config, { path: `/v1/orders?${query}` }))?.message ?? "", /more than once/, query);
  });

  it("PROX-27: are not passed by under another method", () => {
    for (const [name, value] of [
      ["X-HTTP-Method-Override", "DELETE"],
      ["X-Method-Override", "POST"],
      ["X-HTTP-Method", "POST"],
    ] as const)
      assert.throws(() => refund('{"cents":1}', { headers: { ...json, [name]: value } }), /another method/);
    assert.throws(() => operationOf(config, { method: "PUT", path: "/v1/refunds?_method=POST" }), /another method/);
    assert.equal(unfit(operationOf(config, { method: "PUT", path: "/v1/refunds?method=fast" })), undefined);
  });

  it("PROX-31: look at an encoded slash as some servers do, and leave the others' paths as they were sent", () => {
    const scoped = targetConfig(
      1,
      "    inject: { bearer: token }\n    rules: [{ name: no-publish, when: { methods: [PUT], path: '/{scope}/{name}' }, block: always, because: Only CI publishes. }]",
      ["token"],
    );
    const get = operationOf(scoped, { path: "/@acme%2fwidget" });
    assert.equal(unfit(get), undefined);
    assert.equal(get.sent, "/@acme%2fwidget");
    assert.equal(unfit(operationOf(scoped, { method: "PUT", path: "/@acme%2fwidget" }))?.metadata.rule, "no-publish");
  });

  it("block an upload that one of them must look at", () => {
    const pieces = (async function* () {
      yield Buffer.from("{}");
    })();
    const upload = (path: string) =>
      withUpload(operationOf(config, { method: "POST", path, headers: json }), { size: 2, sha256: "0".repeat(64), pieces });
    assert.match(unfit(upload("/v1/refunds"))?.message ?? "", /comes in pieces/);
    const unruled = targetConfig(
      1,
      "    inject: { bearer: token }\n    rules: [{ name: r, when: { path: /v1/refunds }, require: { json: { /a: { equals: 1 } } }, because: x }]",
      ["token"],
    );
    assert.equal(unfit({ ...upload("/v1/files"), config: unruled }), undefined);
  });
});
