import assert from "node:assert/strict";
import { createServer } from "node:http";
import { context, trace } from "@opentelemetry/api";
import { createLogger } from "./logger.ts";
import { startTelemetry } from "./telemetry.ts";

describe("a log line", () => {
  it("carries its trace, and never a credential or proof, however deep a header stands", async () => {
    const lines: string[] = [];
    const log = createLogger({ destination: { write: (line) => lines.push(line) } });
    const telemetry = await startTelemetry({ name: "test", version: "0" });
    const span = telemetry.tracer.startSpan("s");
    const headers = { authorization: "DPoP canary", dpop: "canary", "dpop-nonce": "canary" };
    context.with(trace.setSpan(context.active(), span), () => log.info({ ...headers, headers, request: { headers } }, "hello"));
    const line = JSON.parse(lines[0] as string);
    assert.doesNotMatch(lines[0] as string, /canary/);
    assert.deepEqual([line.level, line.msg, line.trace_id], ["info", "hello", span.spanContext().traceId]);
    await telemetry.shutdown();
  });
});

describe("spans", () => {
  it("have ids where nobody records them: one trace from the caller's on, each span its own", async () => {
    const telemetry = await startTelemetry({ name: "test", version: "0" });
    const { tracer } = telemetry;
    const root = tracer.startSpan("root").spanContext();
    assert.match(`${root.traceId} ${root.spanId}`, /^[0-9a-f]{32} [0-9a-f]{16}$/);
    const remote = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7", traceFlags: 1, isRemote: true };
    const parent = trace.setSpanContext(context.active(), remote);
    const [one, other] = [tracer.startSpan("one", {}, parent), tracer.startSpan("other", {}, parent)].map((span) => span.spanContext());
    assert.deepEqual([one?.traceId, other?.traceId, one?.traceFlags], [remote.traceId, remote.traceId, 0]);
    assert.equal(new Set([remote.spanId, one?.spanId, other?.spanId]).size, 3);
    assert.notEqual(tracer.startSpan("apart", { root: true }, parent).spanContext().traceId, remote.traceId);
    tracer.startActiveSpan("active", {}, parent, (span) => {
      assert.equal(trace.getActiveSpan(), span);
      assert.equal(tracer.startSpan("child").spanContext().traceId, remote.traceId);
    });
    assert.equal(
      tracer.startActiveSpan("alone", (span) => trace.getActiveSpan() === span),
      true,
    );
    await telemetry.shutdown();
  });

  it("are sent by OTLP where an endpoint is configured, and shutting down waits for them", async () => {
    let body = "";
    const receiver = createServer(async (request, response) => {
      for await (const chunk of request) body += chunk;
      response.end("{}");
    });
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
    const { port } = receiver.address() as { port: number };
    const telemetry = await startTelemetry({ name: "test", version: "0", otlp: `http://127.0.0.1:${port}` });
    telemetry.tracer.startSpan("the span").end();
    await telemetry.shutdown();
    assert.match(body, /the span/);
    receiver.close();
  });
});
