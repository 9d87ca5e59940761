import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { answers, freePort } from "../process/port.ts";
import { run } from "../provision/cache.ts";
import { kafkaJars } from "../provision/kafka.ts";
import { lacking, obtain } from "../provision/obtain.ts";
import { onPath } from "./on-path.ts";
import { type Finder, type OwnServer, own, type Skipped, theirs } from "./server.ts";

export interface KafkaOptions {
  /** One for this caller alone, which it may pause and kill; otherwise the whole process shares one. */
  own?: boolean;
}

const named = () => process.env.SALLYPORT_TEST_KAFKA;
const installed = (): string | undefined => {
  const script = onPath("kafka-server-start.sh");
  const libs = script === undefined ? undefined : join(dirname(script), "../libs");
  return libs !== undefined && existsSync(libs) ? libs : undefined;
};

function missing(): string | undefined {
  if (named() !== undefined) return undefined;
  const lacks = onPath("java") === undefined ? "install Java 17 or newer" : installed() === undefined ? lacking(kafkaJars) : undefined;
  return lacks === undefined ? undefined : `no Kafka: ${lacks}, or set SALLYPORT_TEST_KAFKA=host:port`;
}

let shared: Promise<OwnServer> | undefined;

/** A Kafka broker (KRaft, one node, auto-created topics of one partition); `address` is `host:port`. */
export const kafka: Finder<OwnServer, KafkaOptions> = Object.assign(
  async (options: KafkaOptions = {}): Promise<OwnServer | Skipped> => {
    const address = named();
    if (address !== undefined && !options.own) return theirs(address);
    const why = missing();
    if (why !== undefined) return { skipped: why };
    if (options.own) return start();
    shared ??= start();
    return { ...(await shared), stop: async () => undefined };
  },
  { missing },
);

async function start(): Promise<OwnServer> {
  const java = onPath("java");
  if (java === undefined) throw new Error("Kafka needs Java 17 or newer");
  const jars = join(installed() ?? join(await obtain(kafkaJars), "libs"), "*");
  const [port, controllerPort] = [await freePort(), await freePort()];
  return own(`127.0.0.1:${port}`, (folder) => {
    const properties = join(folder, "server.properties");
    return {
      name: "Kafka",
      command: java,
      args: ["-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", jars, "kafka.Kafka", properties],
      prepare: async () => {
        writeFileSync(properties, propertiesFor(folder, port, controllerPort));
        const format = ["format", "--standalone", "--cluster-id", "c2FsbHlwb3J0LXRlc3QtMQ", "--config", properties];
        await run(java, ["-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", jars, "kafka.tools.StorageTool", ...format], { timeoutMs: 60_000 });
      },
      ready: () => answersApiVersions(port),
      startMs: 60_000,
    };
  });
}

const propertiesFor = (folder: string, port: number, controllerPort: number): string =>
  Object.entries({
    "process.roles": "broker,controller",
    "node.id": 1,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "controller.quorum.bootstrap.servers": `127.0.0.1:${controllerPort}`,
    "log.dirs": join(folder, "log"),
    "num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");

/** Kafka listens before it serves; it serves once it answers an ApiVersions request (key 18, version 0). */
const answersApiVersions = (port: number) => answers(port, Buffer.from("0000000a0012000000000001ffff", "hex"));
