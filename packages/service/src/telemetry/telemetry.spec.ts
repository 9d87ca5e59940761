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
