import { createServer, type IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { until } from "./process/port.ts";

/** A span as it was exported. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  /** `""` for a root. */
  parentSpanId: string;
  name: string;
  /** SpanKind's number in OTLP: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  /** `service.name` of the process that exported it. */
  service: string;
  /** Epoch milliseconds, to the microsecond. */
  startedAt: number;
  endedAt: number;
  attributes: Record<string, unknown>;
  /** OTLP's: 0 unset, 1 ok, 2 error. */
  status: number;
  links: { traceId: string; spanId: string }[];
}

export interface OtlpReceiver {
  /** The base URL, as `telemetry.otlp` and OTEL_EXPORTER_OTLP_ENDPOINT want it. */
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Everything that was received, as text: to look for what must not be in it. */
  readonly received: string;
  /** Spans are exported in batches, late; waits until one is there that `matches`. */
  waitFor(what: string, matches: (span: ReceivedSpan) => boolean, timeoutMs?: number): Promise<ReceivedSpan>;
  /** From a span up to its root: itself, its parent, …; ends early where a parent has not arrived. */
  ancestry(span: ReceivedSpan): ReceivedSpan[];
  stop(): Promise<void>;
}

/** Collects what OpenTelemetry SDKs export by OTLP over HTTP as JSON. */
export async function otlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  let received = "";
  const server = createServer(async (request, answer) => {
    try {
      if (!request.headers["content-type"]?.startsWith("application/json")) return void answer.writeHead(415).end();
      const text = await bodyOf(request);
      received += `${text}\n`;
      if (request.url === "/v1/traces") spans.push(...spansOf(JSON.parse(text)));
      answer.writeHead(200, { "content-type": "application/json" }).end("{}");
    } catch {
      answer.writeHead(400).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    get received() {
      return received;
    },
    async waitFor(what, matches, timeoutMs = 10_000) {
      await until(`a span of ${what}`, () => spans.some(matches), timeoutMs);
      return spans.find(matches) as ReceivedSpan;
    },
    ancestry(span) {
      const line: ReceivedSpan[] = [];
      for (let at: ReceivedSpan | undefined = span; at !== undefined && !line.includes(at); ) {
        line.push(at);
        const { traceId, parentSpanId }: ReceivedSpan = at;
        at = spans.find((other) => other.traceId === traceId && other.spanId === parentSpanId);
      }
      return line;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  return `${request.headers["content-encoding"] === "gzip" ? await promisify(gunzip)(body) : body}`;
}

type Value = {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string | number;
  doubleValue?: number;
  arrayValue?: { values?: Value[] };
};
type Attributes = { key: string; value: Value }[];
type Span = Omit<ReceivedSpan, "service" | "startedAt" | "endedAt" | "attributes" | "status"> & {
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: Attributes;
  status?: { code?: number };
};
interface Export {
  resourceSpans?: { resource?: { attributes?: Attributes }; scopeSpans?: { spans?: Span[] }[] }[];
}

function spansOf({ resourceSpans = [] }: Export): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) => {
    const service = String(plain(resource?.attributes)["service.name"] ?? "");
    return scopeSpans
      .flatMap(({ spans = [] }) => spans)
      .map(({ traceId, spanId, parentSpanId = "", name, kind, startTimeUnixNano, endTimeUnixNano, attributes, status, links = [] }) => {
        const times = { startedAt: milliseconds(startTimeUnixNano), endedAt: milliseconds(endTimeUnixNano) };
        return {
          traceId,
          spanId,
          parentSpanId,
          name,
          kind,
          service,
          ...times,
          attributes: plain(attributes),
          status: status?.code ?? 0,
          links,
        };
      });
  });
}

const milliseconds = (nanoseconds: string): number => Number(BigInt(nanoseconds) / 1000n) / 1000;

const plain = (attributes: Attributes = []): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));

function plainValue({ stringValue, boolValue, intValue, doubleValue, arrayValue }: Value): unknown {
  return stringValue ?? boolValue ?? (intValue === undefined ? (doubleValue ?? arrayValue?.values?.map(plainValue)) : Number(intValue));
}
