// An agent whose program has an OpenTelemetry SDK of its own: signs in, uses a secret once inside a span of its own, says so.
import { context, propagation, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { AlwaysOnSampler, BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { Agent } from "@sallyport/sdk";

const { otlp, signIn, use } = JSON.parse(process.argv[2] as string);
const provider = new TracerProvider({
  resource: resourceFromAttributes({ "service.name": "agent" }),
  sampler: new AlwaysOnSampler(),
  spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${otlp}/v1/traces` }) })],
});
trace.setGlobalTracerProvider(provider);
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());

// The token comes on standard input, as it should.
let subjectToken = "";
for await (const piece of process.stdin) subjectToken += piece;
const agent = await Agent.signIn({ ...signIn, subjectToken: subjectToken.trim() });
// So that the one trace holds the use alone, not the asking for a first nonce.
await agent.list();

const span = trace.getTracer("release-bot").startSpan("look up order 42");
await context.with(trace.setSpan(context.active(), span), async () => {
  const answer = await agent.use(use);
  await answer.text();
  span.setStatus({ code: answer.status === 200 ? SpanStatusCode.OK : SpanStatusCode.ERROR });
  console.log(
    JSON.stringify({
      status: answer.status,
      eventUid: answer.eventUid,
      traceId: span.spanContext().traceId,
      token: agent.session.credential.token,
    }),
  );
});
span.end();
await provider.shutdown();
agent.close();
