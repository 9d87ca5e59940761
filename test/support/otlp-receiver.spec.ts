import assert from "node:assert/strict";
import { context, trace } from "@opentelemetry/api";
import { startTelemetry } from "../../packages/service/src/telemetry/telemetry.ts";
import { otlpReceiver } from "./otlp-receiver.ts";

describe("the OTLP receiver of the tests", () => {
  it("gets a span with its parents, its attributes and its service", async () => {
    const receiver = await otlpReceiver();
    const telemetry = await startTelemetry({ name: "sallyport-test", version: "0", otlp: receiver.url });
    const parent = telemetry.tracer.startSpan("parent");
    const child = telemetry.tracer.startSpan(
      "child",
      { attributes: { "rpc.method": "Use", n: 3, all: ["a"] } },
      trace.setSpan(context.active(), parent),
    );
    child.end();
    parent.end();
    await telemetry.shutdown();
    const span = await receiver.waitFor("child", ({ name }) => name === "child");
    assert.deepEqual(span.attributes, { "rpc.method": "Use", n: 3, all: ["a"] });
    assert.deepEqual(
      receiver.ancestry(span).map(({ name, service }) => `${service} ${name}`),
      ["sallyport-test child", "sallyport-test parent"],
    );
    await receiver.stop();
  });
});
