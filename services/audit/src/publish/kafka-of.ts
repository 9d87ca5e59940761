import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { Egress } from "@sallyport/egress";
import { type Config, resolveReference } from "@sallyport/service";
import type { PublisherOptions } from "./publisher.ts";

type KafkaSection = NonNullable<Config["evidence"]["kafka"]>;

/** The configured Kafka as the publisher takes it. @throws Refusal INVALID_REQUEST where its password cannot be read */
export async function kafkaOf(
  config: KafkaSection,
  origin: string,
): Promise<Pick<PublisherOptions, "openSink" | "topic" | "backlogMaxBytes">> {
  // Its client is heavy, and installations without a Kafka need none.
  const { kafkaSink } = await import("./kafka-sink.ts");
  const { topic, brokers, backlogMaxBytes, tls, sasl } = config;
  const ca = tls?.ca === undefined ? {} : { ca: readFileSync(tls.ca, "utf8") };
  const egress = Egress.infra({ setting: "evidence.kafka.brokers", ...ca });
  const dial = async (destination: { host: string; port: number; tls: boolean }, signal: AbortSignal) =>
    (await egress.connect({ ...destination, signal })) as Socket;
  const login = sasl && {
    mechanism: sasl.mechanism,
    username: sasl.username,
    password: resolveReference(sasl.password, "evidence.kafka.sasl.password"),
  };
  return { topic, backlogMaxBytes, openSink: kafkaSink({ brokers, topic, origin, dial, tls: tls !== undefined, sasl: login as never }) };
}
