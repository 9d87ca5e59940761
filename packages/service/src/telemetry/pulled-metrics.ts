import { MetricReader } from "@opentelemetry/sdk-metrics";

/** Metrics that are collected when somebody asks; the text format is loaded with the first question. */
export class PulledMetrics extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}

  async text(): Promise<string> {
    const { PrometheusSerializer } = await import("@opentelemetry/exporter-prometheus");
    const { resourceMetrics, errors } = await this.collect();
    const failed = errors.map((error) => `# a metric could not be collected: ${String(error).replaceAll(/\s+/g, " ")}\n`);
    return failed.join("") + new PrometheusSerializer(undefined, false, undefined, false, true).serialize(resourceMetrics);
  }
}
