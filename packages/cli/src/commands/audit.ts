import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { styleText } from "node:util";
import { type NoteVerifier, parseVerifierKey, verifyLog } from "@sallyport/evidence";
import { Command, InvalidArgumentError, Option } from "commander";
import { eventOf, type Filter, matches } from "./audit/event.ts";
import { follow, type Logged, openFolder, recordsFrom } from "./audit/logged.ts";
import { csvHeader, csvLine, line } from "./audit/show.ts";

interface Common {
  log?: string;
  config?: string;
  output: "table" | "json" | "jsonl";
}

type Asked = Common & Filter & { from: number; limit: number };

/** `sallyport audit …`: reads and proves a local evidence log; no service is asked. */
export function auditCommand(): Command {
  const audit = new Command("audit").description("follow, search, prove and export the evidence log");
  const sub = (name: string, description: string, forms = ["table", "json", "jsonl"]) =>
    audit
      .command(name)
      .description(description)
      .option("--log <folder>", "the evidence log's folder; left out, the configuration's")
      .option("-c, --config <file>", "the configuration, for its data folder; left out, ./sallyport.yaml")
      .addOption(new Option("-o, --output <form>", "how to answer").choices(forms).default(forms[0]));
  const filtered = (command: Command) =>
    command
      .option("--session <id>", "only records with this session in the chain")
      .option("--link <id>", "only records with this actor in the chain: corp/alice, corp/ci#release/deploy")
      .option("--secret <name>", "only records of this secret")
      .option("--target <name>", "only records of this target")
      .option("--uid <uid>", "only the record of this uid, and the outcome of the intent of this uid")
      .option("--event <name>", "only records of this event, such as secret.use")
      .option("--since <time>", "only from this time on: 2026-11-25T10:00:00Z", parseTime)
      .option("--until <time>", "only before this time", parseTime)
      .option("--from <index>", "from this index of the log on", parseCount, 0);

  filtered(sub("query", "the records that match, oldest first"))
    .option("--limit <count>", "at most so many", parseCount, 100)
    .action(async (asked: Asked) => {
      const found = recordsFrom(await folderOf(asked), asked.from).filter(({ text }) => matches(eventOf(text), asked));
      print(found.take(asked.limit), asked.output);
    });

  sub("tail", "the newest records, and those that follow", ["table", "jsonl"])
    .option("-n, --lines <count>", "how many of the newest", parseCount, 10)
    .option("-f, --follow", "go on with what is written from now on")
    .action(async (asked: Common & { lines: number; follow?: true }) => {
      const dir = await folderOf(asked);
      const newest: Logged[] = [];
      let size = 0;
      for (const record of recordsFrom(dir)) {
        newest.push(record);
        if (newest.length > asked.lines) newest.shift();
        size = record.index + 1;
      }
      print(newest.values(), asked.output);
      if (asked.follow !== true) return;
      const interrupted = new AbortController();
      process.once("SIGINT", () => interrupted.abort());
      process.once("SIGTERM", () => interrupted.abort());
      for await (const record of follow(dir, size, interrupted.signal)) print([record].values(), asked.output);
    });

  filtered(sub("export", "every record that matches, for other tools", ["jsonl", "csv"])).action(
    async (asked: Omit<Asked, "output"> & { output: "jsonl" | "csv" }) => {
      const dir = await folderOf(asked);
      const found = recordsFrom(dir, asked.from).filter(({ text }) => matches(eventOf(text), asked));
      if (asked.output === "csv") write(csvHeader);
      for (const record of found) write(asked.output === "csv" ? csvLine(record) : record.text);
    },
  );

  sub("verify", "prove that no record was edited, dropped, added, moved or cut off", ["table", "json"])
    .option("--key <key>", "the log's verifier key, or a file that holds it; left out, the one that the folder names")
    .option("--checkpoint <file>", "a signed checkpoint that was kept elsewhere; - for standard input")
    .action(async (asked: Common & { key?: string; checkpoint?: string }) => {
      const dir = await folderOf(asked);
      const verification = verifyLog(openFolder(dir), {
        key: asked.key === undefined ? undefined : parseKey(asked.key),
        outsideCheckpoint: asked.checkpoint === undefined ? undefined : readCheckpoint(asked.checkpoint),
      });
      if (verification.kind !== "intact") process.exitCode = 1;
      if (asked.output === "json") return write(JSON.stringify(verification));
      const word = {
        intact: styleText("green", "intact"),
        altered: styleText("red", "altered"),
        unverifiable: styleText("yellow", "unverifiable"),
      };
      write(`${word[verification.kind]} ${verification.sentence}`);
      if (asked.key === undefined) write(styleText("dim", "The key was taken from the folder itself; give --key to be sure whose it is."));
    });
  return audit;
}

function print(records: Iterable<Logged>, form: Common["output"]): void {
  if (form !== "json") for (const record of records) write(form === "jsonl" ? record.text : line(record));
  else write(`[${[...records].map(({ index, text }) => `{"index":${index},"record":${text}}`).join(",")}]`);
}

async function folderOf({ log, config }: Pick<Common, "log" | "config">): Promise<string> {
  if (log !== undefined) return log;
  // Only here: it brings all that services stand on.
  const { loadConfig } = await import("@sallyport/service");
  return join((await loadConfig(config ?? "sallyport.yaml")).dataDir, "audit", "log");
}

function parseKey(given: string): NoteVerifier {
  const key = parseVerifierKey(existsSync(given) ? readFileSync(given, "utf8") : given);
  if (key === undefined) throw new InvalidArgumentError("The key is no verifier key: <name>+<8 hex digits>+<base64>.");
  return key;
}

function readCheckpoint(path: string): string {
  try {
    return readFileSync(path === "-" ? 0 : path, "utf8");
  } catch {
    throw new InvalidArgumentError(`The checkpoint's file ${path} cannot be read.`);
  }
}

function parseTime(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new InvalidArgumentError("Not a time; write it as 2026-11-25T10:00:00Z.");
  return time;
}

function parseCount(text: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw new InvalidArgumentError("Not a whole number.");
  return Number(text);
}

const write = (text: string) => void process.stdout.write(`${text}\n`);
