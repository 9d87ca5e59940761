import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { refusalFor } from "@sallyport/masking";
import { Reporter } from "./reporter.ts";
import { Missing } from "./scaled-out.ts";
import { tellStory } from "./story.ts";

const options = {
  state: { type: "string" },
  canary: { type: "string" },
  json: { type: "boolean", default: false },
  real: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

const help = `npm run demo -- [--state DIR] [--canary VALUE] [--json] [--real]

  --state DIR     where everything is written; a fresh temporary folder unless given, kept and named at the end
  --canary VALUE  the secret that must appear nowhere, at least 8 printable ASCII characters; random unless given
  --json          one JSON object a line instead of the story
  --real          on real servers: Redis, Kafka, OpenBao, four processes with mTLS, two brokers`;

const { values } = orMistyped(() => parseArgs({ options }));
if (values.help) {
  console.log(help);
  process.exit(0);
}
const canary = values.canary ?? `sk_live_${randomBytes(18).toString("base64url")}/+${randomBytes(4).toString("hex")}`;
orMistyped(() => assertFit(canary));
const state = values.state === undefined ? mkdtempSync(join(tmpdir(), "sallyport-demo-")) : resolve(values.state);
orMistyped(() => mkdirSync(state, { recursive: true }));
const reporter = new Reporter(values.json);
try {
  await tellStory({ state, canary, real: values.real }, reporter);
} catch (error) {
  if (error instanceof Missing) reporter.check(false, "what --real needs is here", error.message);
  else reporter.broken(error);
}
reporter.end(state);
process.exit(reporter.failed === 0 ? 0 : 1);

/** The value is masked, and sent as a bearer token (RFC 6750 §2.1). @throws Error that says why the story cannot be told with it */
function assertFit(value: string): void {
  const why = /^[\x21-\x7e]+$/.test(value)
    ? refusalFor(Buffer.from(value))
    : "The demo's API takes its secret as a bearer token, which is printable ASCII without spaces; choose such a value.";
  if (why !== undefined) throw new Error(`--canary: ${why}`);
}

function orMistyped<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exit(2);
  }
}
