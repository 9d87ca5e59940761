import { readTopic } from "../demo/kafka-topic.ts";
import { logLines } from "./evidence-log.ts";

/**
 * Why a topic is not what an evidence log is: all that was logged before must be there, and nothing else than what is logged by now. A
 * service may have more to say at any moment, such as how many calls it refused.
 */
export async function topicProblem(broker: string, topic: string, log: string): Promise<string | undefined> {
  const before = logLines(log).length;
  for (let tries = 0; ; tries++) {
    const { lines } = await readTopic(broker, topic);
    if (lines.length < before && tries < 10) continue;
    const logged = logLines(log);
    const wrong = lines.findIndex((line, index) => line !== logged[index]);
    if (wrong >= 0) return `record ${wrong} in Kafka is not the log's: ${lines[wrong]}`;
    return lines.length < before ? `Kafka holds ${lines.length} of the log's ${before} records` : undefined;
  }
}
