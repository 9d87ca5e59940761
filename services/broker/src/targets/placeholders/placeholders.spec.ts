import assert from "node:assert/strict";
import { Refusal } from "@sallyport/contracts";
import { startEchoTarget } from "../echo-target.fixture.ts";
import { header, operationOf, type Sketch, send, targetConfig } from "../inject/targets.fixture.ts";
import { unfit } from "../operation.ts";

const token = "[sallyport:prod/api#token]";
const json = { "content-type": "application/json" };

describe("a placeholder in what an agent sends", () => {
  let target: Awaited<ReturnType<typeof startEchoTarget>>;
  before(async () => {
    target = await startEchoTarget();
  });
  after(() => target.stop());
  const places = "placeholders: [{ header: Authorization }, { header: X-Key }, { query: key }, { body: /auth/0/token }]";
  const config = (settings = places) => targetConfig(target.port, `    ${settings}`, ["token", "other"]);
  const sent = async (sketch: Sketch, values: Record<string, string | Buffer> = { token: 'va"lue&=+ 4711' }, settings = places) =>
    (await send(config(settings), sketch, values)).echo;
  const refusal = (sketch: Sketch, settings = places) => unfit(operationOf(config(settings), sketch));
  const blocked = (sketch: Sketch, sentence = /./, settings = places) => {
    const refused = refusal(sketch, settings);
    assert.equal(refused?.reason, "GUARDRAIL_BLOCKED", JSON.stringify(sketch));
    assert.equal(refused?.metadata.rule, "placeholder");
    assert.equal(refused?.metadata.effect, "none");
    assert.match(refused?.message ?? "", sentence);
  };

  it("is filled in at the places that the target's configuration names, escaped as the place asks", async () => {
    const echo = await sent({
      method: "POST",
      path: `/v1/orders?a=1&key=x-${encodeURIComponent(token)}-%C3%A9&b=2+3`,
      headers: { ...json, Authorization: `Token ${token}`, "x-key": token },
      body: `{"n": 9007199254740993.0, "auth": [{"token": "<\\u005bsallyport:prod/api#token]>"}]}`,
    });
    assert.deepEqual(header(echo, "authorization"), ['Token va"lue&=+ 4711']);
    assert.deepEqual(header(echo, "x-key"), ['va"lue&=+ 4711']);
    assert.equal(echo.url, "/v1/orders?a=1&key=x-va%22lue%26%3D%2B%204711-%C3%A9&b=2+3");
    assert.equal(echo.body, '{"n": 9007199254740993.0, "auth": [{"token": "<va\\"lue&=+ 4711>"}]}');
    assert.deepEqual(header(echo, "content-length"), [String(echo.body.length)]);
  });

  it("benign twin: what holds none passes byte for byte, odd encodings included", async () => {
    const body = '{"auth":[{"token":"mine"}],"n":1.0}';
    const echo = await sent({ method: "POST", path: "/v1/orders?a=%FF&key=%C3%A9+x", headers: { ...json, "x-key": "mine" }, body });
    assert.deepEqual([echo.url, echo.body, header(echo, "x-key")], ["/v1/orders?a=%FF&key=%C3%A9+x", body, ["mine"]]);
  });

  it("is not what an approval, the record and the digest are of: they have the placeholder", () => {
    const operation = operationOf(config(), { headers: { authorization: `Bearer ${token}` }, path: `/a?key=${encodeURIComponent(token)}` });
    assert.ok(operation.exactBytes.toString().includes(token));
    assert.equal(operation.summary, `GET /a?key=${encodeURIComponent(token)}`);
  });

  it("is blocked anywhere else, in whatever encoding: the path, another header or parameter, another place of the body", () => {
    blocked({ path: `/v1/${encodeURIComponent(token)}` }, /the path/);
    blocked({ headers: { "x-note": token } }, /the header x-note/);
    blocked({ headers: { "user-agent": `a ${encodeURIComponent(token)}` } }, /the header user-agent/);
    blocked({ path: `/v1?note=${encodeURIComponent(token)}` }, /the query/);
    blocked({ path: `/v1?${encodeURIComponent(token)}=1` }, /the query/);
    blocked({ path: "/v1?KEY=%5bsallyport:prod%2Fapi%23token%5d" }, /the query/);
    for (const body of [
      `{"auth":[{"Token":"${token}"}]}`,
      `{"auth":[{"token":1},{"token":"${token}"}]}`,
      `{"auth":{"0":{"tokens":"${token}"}}}`,
      `{"note":"${token}"}`,
      '{"note":"\\u005Bsallyport:prod\\/api#token]"}',
      `{"${token}":1}`,
      `{"auth":[{"token":"x","token":"${token}"}]}`,
      `"${token}"`,
      `not json ${token}`,
    ])
      blocked({ method: "POST", headers: json, body }, /the body/);
    blocked(
      { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: `a=${encodeURIComponent(token)}` },
      /the body/,
    );
  });

  it("is blocked where it is another secret's, or none, at an allowed place", () => {
    for (const other of [
      "[sallyport:prod/other#token]",
      "[sallyport:prod/apix#token]",
      "[sallyport:prod/api]",
      "[sallyport:",
      "[sallyport:prod/api#to ken]",
    ])
      blocked({ headers: { "x-key": other } }, /only placeholders of prod\/api/);
  });

  it("is blocked everywhere at a target that fills in none", () => {
    blocked({ headers: { "x-key": token } }, /fills in none/, "inject: { bearer: token }");
    blocked({ headers: { authorization: `Bearer ${token}` } }, /fills in none/, "inject: { header: { name: x-a, field: token } }");
    assert.equal(refusal({ headers: { "x-key": "sallyport: prod/api#token" } }, "inject: { bearer: token }"), undefined);
  });

  it("does not take the place of what the broker puts in itself", () => {
    const both = `inject: { bearer: token }, ${places}`.replace(", placeholders", "\n    placeholders");
    assert.equal(refusal({ headers: { authorization: `Bearer ${token}` } }, both)?.reason, "INVALID_REQUEST");
    assert.equal(refusal({ headers: { "x-key": token } }, both), undefined);
  });

  it("opens no other door: headers that frame or route stay refused, and a credential without a placeholder, too", () => {
    for (const name of ["host", "cookie", "proxy-authorization", "content-length", "transfer-encoding", "x-forwarded-for", "dpop"])
      assert.throws(() => operationOf(config(), { headers: { [name]: token } }), /leave it out/, name);
    assert.throws(() => operationOf(config(), { headers: { authorization: "Bearer mine" } }), /leave it out/);
    assert.throws(() => targetConfig(1, "    placeholders: [{ header: Cookie }]", ["token"]), /frames, routes or traces/);
    assert.throws(() => targetConfig(1, "    placeholders: [{ header: X, query: y }]", ["token"]), /exactly one of/);
    assert.throws(() => targetConfig(1, "    timeoutSeconds: 5", ["token"]), /must have inject or placeholders/);
  });

  it("sends nothing where the field is missing or cannot stand there", async () => {
    const unavailable = (error: unknown) => error instanceof Refusal && error.reason === "STORE_UNAVAILABLE";
    await assert.rejects(sent({ headers: { "x-key": "[sallyport:prod/api#nope]" } }), unavailable);
    await assert.rejects(sent({ headers: { "x-key": token } }, { token: "a\r\nx: y" }), unavailable);
  });
});
