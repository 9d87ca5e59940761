import { context, type Meter, propagation, type Tracer } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { AlwaysOffSampler, AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, TracerProvider } from "@opentelemetry/sdk-trace";
import { PulledMetrics } from "./pulled-metrics.ts";

export interface TelemetryOptions {
  /** `service.name`: `sallyport`, or `sallyport-<role>` for a service alone. */
  readonly name: string;
  readonly version: string;
  /** OTLP/HTTP base URL; where left out, OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_TRACES_ENDPOINT decide. */
  readonly otlp?: string | undefined;
}

/** The process's one telemetry SDK, as its owner sees it. */
export interface RunningTelemetry {
  readonly tracer: Tracer;
  readonly meter: Meter;
  /** All metrics in Prometheus' text format. */
  metricsText(): Promise<string>;
  /** Exports what is left, for at most 5 s. */
  shutdown(): Promise<void>;
}

/**
 * Assembled from the SDK's parts: `sdk-node` would load every exporter there is, a second of start and 30 MB. Without an
 * exporter spans are not recorded, yet still have ids, which logs and evidence carry.
 */
export async function startTelemetry({ name, version, otlp }: TelemetryOptions): Promise<RunningTelemetry> {
  propagateOnce();
  const resource = resourceFromAttributes({ "service.name": name, "service.version": version });
  const exporter = await spanExporter(otlp);
  const tracers = new TracerProvider({
    resource,
    sampler: exporter === undefined ? new AlwaysOffSampler() : new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    spanProcessors: exporter === undefined ? [] : [new BatchSpanProcessor({ exporter, scheduledDelayMillis: 500 })],
  });
  const reader = new PulledMetrics();
  const meters = new MeterProvider({ resource, readers: [reader] });
  return {
    tracer: tracers.getTracer("sallyport", version),
    meter: meters.getMeter("sallyport", version),
    metricsText: () => reader.text(),
    shutdown: async () => {
      const bound = new Promise<void>((resolve) => setTimeout(resolve, 5000).unref());
      await Promise.race([Promise.allSettled([tracers.shutdown(), meters.shutdown()]), bound]);
    },
  };
}

let propagating = false;

/** Context follows `await`, and travels between processes as W3C `traceparent`. */
function propagateOnce(): void {
  if (propagating) return;
  propagating = true;
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
}

async function spanExporter(otlp: string | undefined) {
  const env = process.env;
  if (otlp === undefined && !env.OTEL_EXPORTER_OTLP_ENDPOINT && !env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return undefined;
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
  return new OTLPTraceExporter(otlp === undefined ? {} : { url: `${otlp.replace(/\/$/, "")}/v1/traces` });
}
