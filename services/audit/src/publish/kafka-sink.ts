import type { Socket } from "node:net";
import { type IHeaders, Kafka, type KafkaConfig, logLevel, Partitioners, type Producer } from "kafkajs";
import { DialledSocket } from "./dialled-socket.ts";
import { quietRequestQueue } from "./quiet-request-queue.ts";
import type { OpenSink, OutgoingRecord, Sink } from "./sink.ts";

export interface KafkaSinkOptions {
  brokers: readonly string[];
  topic: string;
  /** The log's origin; the header `sallyport-log-id`, and the key of checkpoints. */
  origin: string;
  /** The guarded dialler. */
  dial: (destination: { host: string; port: number; tls: boolean }, signal: AbortSignal) => Promise<Socket>;
  tls: boolean;
  sasl?: KafkaConfig["sasl"] | undefined;
}

/** The topic of signed checkpoints, beside the records' own: kept apart, so that one who may write records cannot hide their end. */
export const checkpointTopic = (topic: string): string => `${topic}.checkpoints`;

/** Milliseconds for a connection, and for an answer; kafkajs tries a request that failed this many times again. */
const connectionTimeout = 5000;
const requestTimeout = 8000;
const retries = 2;

/**
 * Kafka by kafkajs: an idempotent producer that waits for all in-sync replicas. Idempotence holds only for one send in
 * flight, and a producer that has failed once does not heal, so the publisher sends one at a time and makes a new sink after
 * every failure.
 */
export const kafkaSink =
  (options: KafkaSinkOptions): OpenSink =>
  async () => {
    quietRequestQueue();
    const sockets = new Set<DialledSocket>();
    const kafka = new Kafka({
      clientId: "sallyport-audit",
      brokers: [...options.brokers],
      connectionTimeout,
      requestTimeout,
      enforceRequestTimeout: true,
      // What kafkajs would say is said by the publisher, once, when it matters.
      logLevel: logLevel.NOTHING,
      retry: { retries, initialRetryTime: 100, maxRetryTime: 1000 },
      ...(options.tls ? { ssl: true } : {}),
      ...(options.sasl === undefined ? {} : { sasl: options.sasl }),
      socketFactory: ({ host, port, onConnect }) => {
        const socket = new DialledSocket((signal) => options.dial({ host, port, tls: options.tls }, signal), onConnect);
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
        return socket as unknown as Socket;
      },
    });
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: { retries, initialRetryTime: 100, maxRetryTime: 1000 },
    });
    const sink = new KafkaSink(producer, sockets, options);
    try {
      await producer.connect();
      return sink;
    } catch (error) {
      await sink.close();
      throw error;
    }
  };

class KafkaSink implements Sink {
  readonly #producer: Producer;
  readonly #sockets: Set<DialledSocket>;
  readonly #options: KafkaSinkOptions;

  constructor(producer: Producer, sockets: Set<DialledSocket>, options: KafkaSinkOptions) {
    this.#producer = producer;
    this.#sockets = sockets;
    this.#options = options;
  }

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    const messages = records.map((record) => ({ key: record.key, value: record.bytes, headers: this.#headers(record) }));
    await this.#producer.send({ topic: this.#options.topic, acks: -1, messages });
  }

  async sendCheckpoint(note: string): Promise<void> {
    const messages = [{ key: this.#options.origin, value: note }];
    await this.#producer.send({ topic: checkpointTopic(this.#options.topic), acks: -1, messages });
  }

  async close(): Promise<void> {
    // kafkajs waits for answers that may never come; without their sockets it stops waiting.
    for (const socket of this.#sockets) socket.destroy();
    const bound = new Promise<void>((resolve) => setTimeout(resolve, 1000).unref());
    await Promise.race([this.#producer.disconnect().catch(() => {}), bound]);
    for (const socket of this.#sockets) socket.destroy();
  }

  #headers({ index, uid, traceparent }: OutgoingRecord): IHeaders {
    return {
      "sallyport-log-id": this.#options.origin,
      "sallyport-index": index.toString(),
      "sallyport-uid": uid,
      ...(traceparent === "" ? {} : { traceparent }),
    };
  }
}
