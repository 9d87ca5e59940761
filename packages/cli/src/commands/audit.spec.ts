import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  apiActivity,
  checkpointLine,
  evidenceRecord,
  type Facts,
  Frontier,
  finalBytes,
  leafHash,
  noteSigner,
  signCheckpoint,
  verifierKey,
} from "@sallyport/evidence";
import { follow } from "./audit/logged.ts";
import { auditCommand } from "./audit.ts";

const nasty = '=cmd()\n{"event":"approved"}\u001b]0;x\u0007\u001b[2J\u2028\u202e\u0000"';

describe("sallyport audit", () => {
  let dir = "";
  const signer = noteSigner("test.internal/evidence/1", generateKeyPairSync("ed25519").privateKey);
  const note = () => {
    const tree = new Frontier();
    for (const text of records) tree.add(leafHash(Buffer.from(text)));
    return signCheckpoint({ origin: signer.name, size: tree.size, root: tree.root() }, signer);
  };
  const record = (facts: Partial<Facts>, sequence: number) => {
    const draft = apiActivity("create", {
      event: "secret.use",
      status: "success",
      chain: {
        links: [
          { id: "corp/ci", kind: "service", sid: "s1" },
          { id: "corp/ci#deploy", kind: "agent", sid: "s2" },
        ],
      },
      secret: { name: "prod/orders/api", version: "3" },
      target: { name: "orders-api" },
      api: { operation: "POST /v1/refunds" },
      ...facts,
    });
    const made = evidenceRecord(draft, {
      service: "broker",
      version: "0.1.0",
      time: 1_790_000_000_000 + sequence,
      phase: "event",
      uid: `u-${sequence}`,
    });
    return Buffer.from(finalBytes(made, "broker-0123456789", BigInt(sequence))).toString("utf8");
  };
  let records: string[] = [];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "sallyport-cli-audit-"));
    records = [
      record({}, 1),
      record({ secret: { name: "prod/other" }, status: "failure", reason: "DENIED_BY_POLICY" }, 2),
      record({ event: nasty, sentence: nasty, target: { name: nasty }, chain: undefined }, 3),
      record({ approvers: [{ id: "corp/bob" }] }, 4),
    ];
    writeFileSync(
      join(dir, "log.json"),
      JSON.stringify({ format: 1, origin: signer.name, recordsPerSegment: 2, verifierKey: verifierKey(signer) }),
    );
    for (const [segment, part] of [records.slice(0, 2), records.slice(2)].entries()) {
      writeFileSync(join(dir, `0000000${segment}.jsonl`), part.map((text) => `${text}\n`).join(""));
      writeFileSync(join(dir, `0000000${segment}.leaves`), Buffer.concat(part.map((text) => leafHash(Buffer.from(text)))));
    }
    writeFileSync(join(dir, "checkpoints.jsonl"), checkpointLine(note()));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  /** What the command prints, and its exit code. */
  async function run(...args: string[]): Promise<{ text: string; code: number }> {
    const written: string[] = [];
    const { write } = process.stdout;
    process.exitCode = 0;
    process.stdout.write = ((text: string) => Boolean(written.push(text))) as typeof process.stdout.write;
    try {
      await auditCommand()
        .exitOverride()
        .parseAsync([args[0] as string, "--log", dir, ...args.slice(1)], { from: "user" });
    } finally {
      process.stdout.write = write;
    }
    const code = Number(process.exitCode);
    process.exitCode = 0;
    return { text: written.join(""), code };
  }

  it("queries by what is in a record", async () => {
    const uids = async (...args: string[]) =>
      (await run("query", "-o", "jsonl", ...args)).text.split("\n").flatMap((text) => (text === "" ? [] : [JSON.parse(text).metadata.uid]));
    assert.deepEqual(await uids(), ["u-1", "u-2", "u-3", "u-4"]);
    assert.deepEqual(await uids("--secret", "prod/orders/api"), ["u-1", "u-3", "u-4"]);
    assert.deepEqual(await uids("--session", "s2", "--limit", "2"), ["u-1", "u-2"]);
    assert.deepEqual(await uids("--link", "corp/ci#deploy", "--from", "2"), ["u-4"]);
    assert.deepEqual(await uids("--uid", "u-2"), ["u-2"]);
    assert.deepEqual(await uids("--since", new Date(1_790_000_000_003).toISOString()), ["u-3", "u-4"]);
    const json = JSON.parse((await run("query", "-o", "json", "--uid", "u-4")).text);
    assert.deepEqual([json[0].index, json[0].record.metadata.uid], [3, "u-4"]);
  });

  it("tails the newest, and follows into files that are not there yet", async () => {
    assert.deepEqual((await run("tail", "-o", "jsonl", "-n", "2")).text, `${records[2]}\n${records[3]}\n`);
    const stop = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const { index } of follow(dir, 3, stop.signal)) if (seen.push(index) === 3) stop.abort();
    })();
    writeFileSync(join(dir, "00000002.jsonl"), `${record({}, 5)}\n{"half`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    writeFileSync(join(dir, "00000002.jsonl"), `${record({}, 5)}\n${record({}, 6)}\n`);
    await following;
    assert.deepEqual(seen, [3, 4, 5]);
  });

  it("AUDT-17: shows each record on one line that drives no terminal, and exports cells that are no formulas", async () => {
    const table = (await run("query")).text;
    assert.equal(table.split("\n").length, 5);
    // biome-ignore lint/complexity/useRegexLiterals: a literal would hold the character
    assert.ok(!/[\p{Cc}\p{Cf}\p{Zl}]/u.test(table.replaceAll("\n", "").replace(new RegExp("\u001b\\[[0-9;]*m", "g"), "")));
    const csv = (await run("export", "-o", "csv")).text;
    assert.equal(csv.split("\n").length, 6);
    assert.ok(!/(^|,)"?[=+\-@]/m.test(csv));
    assert.equal((await run("export")).text, records.map((text) => `${text}\n`).join(""));
  });

  it("AUDT-07: verifies, names what was altered, and says what it cannot know", async () => {
    const good = await run("verify");
    assert.equal(good.code, 0);
    assert.match(good.text, /intact.*truncation of the end cannot be excluded/);
    writeFileSync(join(dir, "kept.txt"), note());
    assert.ok(!/cannot be excluded/.test((await run("verify", "--checkpoint", join(dir, "kept.txt"), "--key", verifierKey(signer))).text));
    const file = join(dir, "00000000.jsonl");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("refunds", "refundz"));
    const edited = await run("verify", "-o", "json");
    assert.equal(edited.code, 1);
    assert.deepEqual([JSON.parse(edited.text).finding.what, JSON.parse(edited.text).finding.index], ["edited", 0]);
    writeFileSync(file, text);
    appendFileSync(join(dir, "00000001.jsonl"), `${records[3]}\n`);
    assert.match((await run("verify")).text, /altered.*Record 3 \(u-4\) stands a second time/);
  });
});
