import { randomUUID } from "node:crypto";
import { Kafka, logLevel } from "kafkajs";

/**
 * Reads the topic as any consumer would, until nothing new came for a while: records by their index, resends left out.
 *
 * @returns one line of bytes per index, as the evidence log has them
 */
export async function readTopic(broker: string, topic: string): Promise<{ lines: string[]; resends: number }> {
  const kafka = new Kafka({ clientId: "siem", brokers: [broker], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `siem-${randomUUID()}` });
  const byIndex = new Map<number, string>();
  let resends = 0;
  let lastAt = Date.now();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      lastAt = Date.now();
      const header = Object.entries(message.headers ?? {}).find(([name]) => /index/.test(name))?.[1];
      const index = Number(String(header));
      if (byIndex.has(index)) resends++;
      byIndex.set(index, (message.value ?? Buffer.alloc(0)).toString("utf8"));
    },
  });
  const until = Date.now() + 30_000;
  while (Date.now() < until && (byIndex.size === 0 || Date.now() - lastAt < 3_000))
    await new Promise((resolve) => setTimeout(resolve, 100));
  await consumer.disconnect();
  return { lines: [...byIndex].sort(([a], [b]) => a - b).map(([, line]) => line), resends };
}
