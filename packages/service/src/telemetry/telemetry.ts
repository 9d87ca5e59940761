import { context, type Meter, type MeterProvider as MeterProviderApi, metrics, propagation, type Tracer, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { PulledMetrics } from "./pulled-metrics.ts";
import { UnrecordedTracer } from "./unrecorded.ts";

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
 * Where traces are exported, the whole SDK runs. Where they are not, it would cost a second of start and 50 MB for nothing, as
 * it loads every exporter there is: then spans are not recorded, yet still have ids, which logs and evidence carry.
 */
export async function startTelemetry({ name, version, otlp }: TelemetryOptions): Promise<RunningTelemetry> {
  propagateOnce();
  const resource = resourceFromAttributes({ "service.name": name, "service.version": version });
  const reader = new PulledMetrics();
  const sdk = isExported(otlp) ? await exporting(resource, reader, otlp) : quiet(resource, reader);
  return {
    tracer: sdk.tracerOf("sallyport", version),
    meter: sdk.meters.getMeter("sallyport", version),
    metricsText: () => reader.text(),
    shutdown: async () => {
      const bound = new Promise<void>((resolve) => setTimeout(resolve, 5000).unref());
      await Promise.race([sdk.shutdown().catch(() => undefined), bound]);
    },
  };
}

interface Sdk {
  tracerOf(name: string, version: string): Tracer;
  readonly meters: MeterProviderApi;
  shutdown(): Promise<unknown>;
}

async function exporting(resource: Resource, reader: PulledMetrics, otlp: string | undefined): Promise<Sdk> {
  const [{ NodeSDK }, { AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler }, { OTLPTraceExporter }] = await Promise.all([
    import("@opentelemetry/sdk-node"),
    import("@opentelemetry/sdk-trace"),
    import("@opentelemetry/exporter-trace-otlp-http"),
  ]);
  const exporter = new OTLPTraceExporter(otlp === undefined ? {} : { url: `${otlp.replace(/\/$/, "")}/v1/traces` });
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: 500 })],
    metricReaders: [reader],
    logRecordProcessors: [],
    instrumentations: [],
  });
  sdk.start();
  return {
    tracerOf: (name, version) => trace.getTracer(name, version),
    meters: metrics.getMeterProvider(),
    shutdown: async () => {
      await sdk.shutdown();
      // The next SDK of this process, if there is one, may take its place.
      trace.disable();
      metrics.disable();
    },
  };
}

function quiet(resource: Resource, reader: PulledMetrics): Sdk {
  const meters = new MeterProvider({ resource, readers: [reader] });
  return { tracerOf: () => new UnrecordedTracer(), meters, shutdown: () => meters.shutdown() };
}

let propagating = false;

/** Context follows `await`, and travels between processes as W3C `traceparent`. */
function propagateOnce(): void {
  if (propagating) return;
  propagating = true;
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
}

const isExported = (otlp: string | undefined): boolean =>
  otlp !== undefined || Boolean(process.env.OTEL_EXPORTER_OTLP_ENDPOINT || process.env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
