import { clock, recordOf } from "./journal.fixture.ts";
import { Journal } from "./journal.ts";

/** A child process that appends until it is killed, and says which sequences were acknowledged. */
const journal = await Journal.open({ dir: process.argv[2] as string, service: "broker", clock, reserveBytes: 4 * 1024 * 1024 });
const writer = async (name: string) => {
  for (let at = 0; ; at++) {
    const intent = await journal.append(recordOf(`${name}.${at}`, { phase: "intent", size: (at * 397) % 3000 }));
    process.stdout.write(`intent ${intent.sequence} ${intent.uid}\n`);
    if (at % 40 !== 0) {
      const outcome = await journal.append(recordOf(`${name}.${at}`, { phase: "outcome", intentUid: intent.uid }));
      process.stdout.write(`outcome ${outcome.sequence} ${intent.uid}\n`);
    }
  }
};
process.stdout.write("ready\n");
await Promise.all(["a", "b", "c", "d"].map(writer));
