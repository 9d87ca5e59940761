import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ship } from "@sallyport/journal";
import { clientOf, openJournal, recordFor, useOf } from "./audit.fixture.ts";
import { Intake } from "./journals/intake.ts";
import { EvidenceLog } from "./log/evidence-log.ts";
import { nowhere } from "./publish/published.ts";
import { SearchIndex } from "./search/search-index.ts";

/** A child process: a journal and an audit service that run until they are killed, and say what was acknowledged. */
const dir = process.argv[2] as string;
const keyPath = join(dir, "checkpoint.key");
if (!existsSync(keyPath)) writeFileSync(keyPath, generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }));
const key = createPrivateKey(readFileSync(keyPath));
const search = SearchIndex.open(join(dir, "search.sqlite"));
const log = await EvidenceLog.open({
  dir: join(dir, "log"),
  trustDomain: "test.internal",
  key,
  recordsPerSegment: 256,
  subtree: (segment) => search.subtree(segment),
});
const intake = new Intake(log, await search.follow(log));
const client = clientOf(log, intake, nowhere(log));
const journal = await openJournal(dir, "broker", { maxBytes: 64 * 1024 * 1024 });
ship(journal, {
  prove: (request, options) => client.prove(request, options),
  async *ship(requests, options) {
    for await (const answer of client.ship(requests, options)) {
      process.stdout.write(`${answer.loggedSequence} ${answer.logIndex}\n`);
      yield answer;
    }
  },
});
const writer = async () => {
  for (let at = 0; ; at++) await journal.append(recordFor(useOf("deploy", "secret.use", (at * 397) % 3000)));
};
await Promise.all([writer(), writer(), writer()]);
