import type { DescMethod } from "@bufbuild/protobuf";
import {
  type Attributes,
  type Context,
  context,
  type Histogram,
  type Meter,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import {
  ATTR_ERROR_TYPE,
  ATTR_RPC_METHOD,
  ATTR_RPC_SYSTEM_NAME,
  METRIC_RPC_CLIENT_CALL_DURATION,
  METRIC_RPC_SERVER_CALL_DURATION,
} from "@opentelemetry/semantic-conventions";
import { Code, type Refusal } from "@sallyport/contracts";

/** Where spans and durations go. */
export interface Instruments {
  readonly tracer: Tracer;
  readonly meter: Meter;
}

/** Spans and durations of RPCs (OpenTelemetry semantic conventions 1.45 for RPC), written by us on both sides. */
export class RpcObserver {
  readonly #telemetry: Instruments;
  readonly #served: Histogram;
  readonly #called: Histogram;

  constructor(telemetry: Instruments) {
    const options = {
      unit: "s",
      advice: { explicitBucketBoundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
    };
    this.#telemetry = telemetry;
    this.#served = telemetry.meter.createHistogram(METRIC_RPC_SERVER_CALL_DURATION, {
      ...options,
      description: "Duration of incoming calls",
    });
    this.#called = telemetry.meter.createHistogram(METRIC_RPC_CLIENT_CALL_DURATION, {
      ...options,
      description: "Duration of outgoing calls",
    });
  }

  /** @param headers the request's, for `traceparent`; undefined continues the active context */
  serving(method: DescMethod, door: string, headers: ReadonlyMap<string, string> | undefined): Observation {
    const parent = headers === undefined ? context.active() : propagation.extract(trace.deleteSpan(context.active()), headers, mapGetter);
    return this.#start(method, SpanKind.SERVER, parent, this.#served, { "sallyport.door": door });
  }

  calling(method: DescMethod): Observation {
    return this.#start(method, SpanKind.CLIENT, context.active(), this.#called, {});
  }

  #start(method: DescMethod, kind: SpanKind, parent: Context, histogram: Histogram, more: Attributes): Observation {
    const name = `${method.parent.typeName}/${method.name}`;
    const attributes = { [ATTR_RPC_SYSTEM_NAME]: "grpc", [ATTR_RPC_METHOD]: name, ...more };
    const span = this.#telemetry.tracer.startSpan(name, { kind, attributes }, parent);
    return new Observation(span, trace.setSpan(parent, span), histogram, attributes);
  }
}

/** One call while it runs. */
export class Observation {
  readonly context: Context;
  readonly #span: Span;
  readonly #histogram: Histogram;
  readonly #attributes: Attributes;
  readonly #startedAt = performance.now();

  constructor(span: Span, within: Context, histogram: Histogram, attributes: Attributes) {
    this.#span = span;
    this.context = within;
    this.#histogram = histogram;
    this.#attributes = attributes;
  }

  /** Headers that carry this span to the one who is called. */
  headers(): Record<string, string> {
    const carrier: Record<string, string> = {};
    propagation.inject(this.context, carrier);
    return carrier;
  }

  /** A refusal's sentence may name what the caller sent, so only its reason is kept. */
  end(refusal?: Refusal): void {
    const outcome: Attributes = refusal === undefined ? {} : { [ATTR_ERROR_TYPE]: refusal.reason };
    this.#histogram.record((performance.now() - this.#startedAt) / 1000, { ...this.#attributes, ...outcome });
    if (refusal !== undefined) {
      this.#span.setAttributes(outcome);
      if (refusal.code === Code.Internal || refusal.code === Code.Unavailable) this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.#span.end();
  }
}

const mapGetter = {
  get: (headers: ReadonlyMap<string, string>, key: string) => headers.get(key),
  keys: (headers: ReadonlyMap<string, string>) => [...headers.keys()],
};
