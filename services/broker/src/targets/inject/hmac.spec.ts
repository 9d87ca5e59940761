import assert from "node:assert/strict";
import { createHmac, timingSafeEqual } from "node:crypto";
import { Refusal } from "@sallyport/contracts";
import { startEchoTarget } from "../echo-target.fixture.ts";
import { withUpload } from "../operation.ts";
import { header, operationOf, send, targetConfig } from "./targets.fixture.ts";

const secret = "whsec-canary-4711";
const mac = (text: string, algorithm = "sha256") => createHmac(algorithm, secret).update(text);

describe("a webhook's signature", () => {
  let target: Awaited<ReturnType<typeof startEchoTarget>>;
  before(async () => {
    target = await startEchoTarget();
  });
  after(() => target.stop());
  const config = (settings: string) => targetConfig(target.port, `    inject: { hmac: { field: token, ${settings} } }`, ["token"]);
  const post = { method: "POST", path: "/hooks/a?b=1", headers: { "content-type": "application/json" }, body: '{"a":"{timestamp}"}' };

  it("is over the body as it arrives, as GitHub's receivers check it", async () => {
    const { echo } = await send(config("header: X-Hub-Signature-256, format: 'sha256={signature}'"), post, { token: secret });
    assert.deepEqual(header(echo, "x-hub-signature-256"), [`sha256=${mac(echo.body).digest("hex")}`]);
  });

  it("is over a timestamp too, told beside it, as Stripe's and Slack's receivers check it", async () => {
    const stripe = await send(
      config("header: Stripe-Signature, template: '{timestamp}.{body}', format: 't={timestamp},v1={signature}'"),
      post,
      { token: secret },
    );
    const [, at, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header(stripe.echo, "stripe-signature")[0] ?? "") ?? [];
    assert.ok(Math.abs(Number(at) - Date.now() / 1000) < 10);
    assert.ok(timingSafeEqual(Buffer.from(signature ?? "", "hex"), mac(`${at}.${stripe.echo.body}`).digest()));
    const slack = await send(
      config(
        "header: X-Signature, template: 'v0:{timestamp}:{method} {path} {bodyHash}', timestampHeader: X-Timestamp, timestampUnit: milliseconds, algorithm: sha512, encoding: base64",
      ),
      post,
      { token: secret },
    );
    const [time] = header(slack.echo, "x-timestamp");
    const bodyHash = operationOf(config("header: X-S"), post).bodyHash;
    assert.deepEqual(header(slack.echo, "x-signature"), [mac(`v0:${time}:POST /hooks/a?b=1 ${bodyHash}`, "sha512").digest("base64")]);
  });

  it("is nothing that the agent can send itself, nor replay: its header is refused, its value handed over to be masked", async () => {
    const settings = config("header: X-Signature, template: '{timestamp}{body}', timestampHeader: X-Time");
    for (const name of ["x-signature", "X-Time"])
      await assert.rejects(
        send(settings, { ...post, headers: { [name]: "mine" } }, { token: secret }),
        (error: unknown) => error instanceof Refusal && error.reason === "INVALID_REQUEST",
      );
    const { echo, injected } = await send(settings, post, { token: secret });
    assert.ok(injected.derived.some(({ value }) => Buffer.from(value).toString() === header(echo, "x-signature")[0]));
  });

  it("covers an upload by its declared hash, and refuses to sign one that it would have to read first", async () => {
    const upload = (settings: string) =>
      withUpload(operationOf(config(settings), { ...post, body: "" }), {
        size: 2,
        sha256: "ab".repeat(32),
        pieces: (async function* () {
          yield Buffer.from("{}");
        })(),
      });
    const signed = "header: X-Signature, template: '{bodyHash}'";
    const { echo } = await send(config(signed), upload(signed), { token: secret });
    assert.deepEqual(header(echo, "x-signature"), [mac("ab".repeat(32)).digest("hex")]);
    const whole = "header: X-Signature";
    await assert.rejects(send(config(whole), upload(whole), { token: secret }), /inline/);
  });

  it("is refused at load where it would be good for any body, or its time is not told", () => {
    for (const settings of [
      "header: X-S, template: 'x'",
      "header: X-S, template: '{timestamp}.{body}'",
      "header: X-S, timestampHeader: X-T",
      "header: X-S, template: '{body}{nonce}'",
      "header: X-S, template: '{body'",
      "header: X-S, format: 'sig'",
      "header: X-S, algorithm: md5",
      "header: X-S, template: '{timestamp}{body}', timestampHeader: x-s",
    ])
      assert.throws(() => config(settings), /sallyport\.yaml:\d+:\d+: targets\.api\.inject\.hmac/, settings);
  });
});
