import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Reporter } from "./reporter.ts";
import { Missing } from "./scaled-out.ts";
import { tellStory } from "./story.ts";

const { values } = parseArgs({
  options: {
    state: { type: "string" },
    canary: { type: "string" },
    json: { type: "boolean", default: false },
    real: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  console.log(`npm run demo -- [--state DIR] [--canary VALUE] [--json] [--real]

  --state DIR     where everything is written; a fresh temporary folder unless given, kept and named at the end
  --canary VALUE  the secret that must appear nowhere; random unless given
  --json          one JSON object a line instead of the story
  --real          on real servers: Redis, Kafka, OpenBao, four processes with mTLS, two brokers`);
  process.exit(0);
}

const state = values.state === undefined ? mkdtempSync(join(tmpdir(), "sallyport-demo-")) : resolve(values.state);
mkdirSync(state, { recursive: true });
const canary = values.canary ?? `sk_live_${randomBytes(18).toString("base64url")}/+${randomBytes(4).toString("hex")}`;
const reporter = new Reporter(values.json);
try {
  await tellStory({ state, canary, real: values.real }, reporter);
} catch (error) {
  if (error instanceof Missing) reporter.check(false, "what --real needs is here", error.message);
  else reporter.broken(error);
}
reporter.end(state);
process.exit(reporter.failed === 0 ? 0 : 1);
