import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { create } from "@bufbuild/protobuf";
import { JournalEntrySchema, type ProveResponse, Refusal, ShipRequestSchema } from "@sallyport/contracts";
import { finalBytes, placeOf, rawPublicKey, uidOf, verifyLog } from "@sallyport/evidence";
import { chainValue, EvidenceWriter, type JournalClient, logFolder, ship } from "@sallyport/journal";
import { callOf, clock, keyOfLog, openAudit, openJournal, recordFor, scratchFolder, until, useOf } from "../audit.fixture.ts";
import { nowhere } from "../publish/published.ts";
import { journalHandlers } from "./journal.ts";

const folder = scratchFolder();
const unavailable = (error: unknown) => error instanceof Refusal && error.reason === "AUDIT_UNAVAILABLE";

/** Every record of the log, read back. */
function allOf(log: { size: number; read(from: number): Buffer[] }): Buffer[] {
  const all: Buffer[] = [];
  while (all.length < log.size) all.push(...log.read(all.length));
  return all;
}

describe("shipping a journal", () => {
  it("brings every entry into the log once, in order, over reconnects and restarts of either side", async () => {
    let audit = await openAudit(folder());
    let journal = await openJournal(folder());
    const appended: string[] = [];
    for (let round = 0; round < 4; round++) {
      const shipping = ship(journal, audit.client());
      const some = await Promise.all(Array.from({ length: 50 }, () => journal.append(recordFor(useOf("deploy")))));
      appended.push(...some.map(({ uid }) => uid));
      await until(() => shipping.loggedSequence >= journal.last, "logged");
      await shipping.published(journal.last, 1000);
      const late = await journal.append(recordFor(useOf("deploy")));
      appended.push(late.uid);
      await shipping.stop();
      if (round % 2 === 0) {
        await audit.close();
        audit = await openAudit(folder());
      } else {
        await journal.close();
        journal = await openJournal(folder());
      }
    }
    const shipping = ship(journal, audit.client());
    await until(() => shipping.loggedSequence >= journal.last, "logged");
    await shipping.stop();
    assert.deepEqual(allOf(audit.log).map(uidOf), appended);
    await journal.close();
    await audit.close();
    assert.equal(verifyLog(logFolder(join(folder(), "log"))).kind, "intact");
  });

  it("lets segments go once the log has proven by a signed checkpoint that it holds them, and not before", async () => {
    const audit = await openAudit(folder());
    const journal = await openJournal(folder(), "broker", { maxBytes: 4 * 1024 * 1024 });
    const fill = async () => {
      for (let at = 0; at < 60; at++) await journal.append(recordFor(useOf("deploy", "secret.use", 20_000)));
    };
    const checkpointKey = keyOfLog(folder()).publicKey;
    const forged = (proof: ProveResponse): Partial<ProveResponse>[] => [
      { checkpoint: proof.checkpoint.replace(/\n\d+\n/, "\n999999\n") },
      { checkpoint: "" },
      { path: [] },
      { path: proof.path.slice(1) },
      { path: proof.path.with(0, new Uint8Array(32)) },
    ];
    await fill();
    for (let forgery = 0; forgery < 6; forgery++) {
      let asked = 0;
      const forging: JournalClient = {
        ship: (requests, options) => audit.client().ship(requests, options),
        prove: async ({ logIndex }, options) => {
          asked++;
          // The last is a true proof, of another entry.
          const proof = await audit.client().prove({ logIndex: forgery === 5 ? logIndex - 1n : logIndex }, options);
          return { ...proof, ...forged(proof)[forgery] };
        },
      };
      const mistrusted = ship(journal, forging, { checkpointKey });
      await journal.append(recordFor(useOf("deploy")));
      await until(() => mistrusted.loggedSequence >= journal.last && asked > 0, "logged");
      await mistrusted.stop();
      assert.equal(journal.first, 1n, `forgery ${forgery}`);
    }
    const trusted = ship(journal, audit.client(), { checkpointKey });
    await journal.append(recordFor(useOf("deploy")));
    await until(() => journal.first > 1n, "released");
    await trusted.stop();
    await journal.close();
    await audit.close();
  });

  it("stops a journal that was set back, and one whose acknowledged entries the log has lost", async () => {
    const audit = await openAudit(folder());
    const journal = await openJournal(folder());
    await journal.append(recordFor(useOf("deploy")));
    await journal.close();
    cpSync(join(folder(), "broker-journal"), join(folder(), "copy"), { recursive: true });
    const later = await openJournal(folder());
    await later.append(recordFor(useOf("deploy")));
    const shipping = ship(later, audit.client());
    await until(() => shipping.loggedSequence >= 2n, "logged");
    await shipping.stop();
    await later.close();
    rmSync(join(folder(), "broker-journal"), { recursive: true });
    cpSync(join(folder(), "copy"), join(folder(), "broker-journal"), { recursive: true });
    const setBack = await openJournal(folder());
    const again = ship(setBack, audit.client());
    await until(() => setBack.failure !== undefined, "noticed");
    await assert.rejects(
      setBack.append(recordFor(useOf("deploy"))),
      (error) => unavailable(error) && /set back/.test((error as Error).message),
    );
    await again.stop();
    await setBack.close();
    await audit.close();
  });

  it("refuses entries that were altered, left out, forked, unsigned, or that belong elsewhere (AUDT-07)", async () => {
    const audit = await openAudit(folder());
    const journal = await openJournal(folder());
    for (let at = 0; at < 6; at++) await journal.append(recordFor(useOf("deploy")));
    const entries = (await journal.read(0n)).map((entry, at) =>
      create(JournalEntrySchema, {
        sequence: entry.sequence,
        record: entry.record,
        chain: entry.chain,
        signature: entry.signature ?? new Uint8Array(),
        bootKey: at === 0 ? journal.bootKey : new Uint8Array(),
      }),
    );
    const [one, two, three, four] = entries as [(typeof entries)[0], (typeof entries)[0], (typeof entries)[0], (typeof entries)[0]];
    const writer = audit.intake.open(journal.id, journal.bootKey);
    const accept = (...sent: typeof entries) => audit.intake.accept(writer, sent);
    const refused = (error: unknown) => error instanceof Refusal && error.reason === "INVALID_REQUEST";
    await assert.rejects(accept(two), refused);
    await assert.rejects(
      accept({ ...one, record: Buffer.from(Buffer.from(one.record).toString().replace("refunds", "refundz")) }),
      refused,
    );
    await assert.rejects(accept({ ...one, signature: new Uint8Array(64) }), refused);
    await assert.rejects(accept({ ...one, signature: new Uint8Array() }), refused);
    await assert.rejects(audit.intake.accept(audit.intake.open("broker-ffffffffff", journal.bootKey), [one]), refused);
    await accept(one, two, three);
    await assert.rejects(accept({ ...three, chain: new Uint8Array(32) }), /forked/);
    const other = await openJournal(join(folder(), "other"));
    for (let at = 0; at < 4; at++) await other.append(recordFor(useOf("deploy")));
    await assert.rejects(accept({ ...four, chain: ((await other.read(3n))[0] as { chain: Uint8Array }).chain }), refused);
    await Promise.all([accept(two, three, four), accept(three, four), accept(...entries)]);
    assert.equal(audit.log.size, 6);
    assert.deepEqual(
      allOf(audit.log).map((record) => placeOf(record)?.sequence),
      [1n, 2n, 3n, 4n, 5n, 6n],
    );
    await other.close();
    await journal.close();
    await audit.close();
  });

  it("takes a journal from its own service only", async () => {
    const audit = await openAudit(folder());
    const handlers = journalHandlers(audit.log, audit.intake, nowhere(audit.log));
    const head = async function* () {
      yield create(ShipRequestSchema, { part: { case: "head", value: { journalId: "authn-0123456789" } } });
    };
    await assert.rejects(
      async () => {
        for await (const _ of handlers.ship(head(), callOf(new AbortController().signal)));
      },
      (error) => error instanceof Refusal && error.reason === "DENIED_BY_POLICY",
    );
    await audit.close();
  });
});

describe("two processes that write one journal", () => {
  /** An entry that goes on where the journal stands, which everybody can tell who reads the log, signed by a key of one's own. */
  const goingOn = async (journal: Awaited<ReturnType<typeof openJournal>>) => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const record = finalBytes(recordFor(useOf("intruder")), journal.id, journal.last + 1n);
    const last = (await journal.read(journal.last - 1n)).at(-1) as { chain: Uint8Array };
    const chain = chainValue(last.chain, journal.last + 1n, record);
    const bootKey = rawPublicKey(publicKey);
    const entry = create(JournalEntrySchema, {
      sequence: journal.last + 1n,
      record,
      chain,
      signature: sign(null, chain, privateKey),
      bootKey,
    });
    return { bootKey, entry };
  };
  const logged = async (journal: Awaited<ReturnType<typeof openJournal>>, shipping: ReturnType<typeof ship>) => {
    await journal.append(recordFor(useOf("deploy")));
    await until(() => shipping.loggedSequence >= journal.last, "logged");
  };

  for (const [when, restarted] of [
    ["", false],
    [", also where the audit service was restarted meanwhile and has seen no key yet", true],
  ] as const) {
    it(`the second is refused with a sentence and told of, and the first goes on${when}`, async () => {
      let audit = await openAudit(folder());
      const journal = await openJournal(folder());
      const client: JournalClient = {
        ship: (requests, options) => audit.client().ship(requests, options),
        prove: (request, options) => audit.client().prove(request, options),
      };
      let shipping = ship(journal, client);
      await logged(journal, shipping);
      if (restarted) {
        await shipping.stop();
        await audit.close();
        audit = await openAudit(folder());
        shipping = ship(journal, client);
        await until(() => shipping.connected, "connected");
      }
      const contests: string[] = [];
      audit.contested = (journalId) => contests.push(journalId);
      const { bootKey, entry } = await goingOn(journal);
      for (const announced of [bootKey, journal.bootKey]) {
        const intruder = audit.intake.open(journal.id, announced);
        await assert.rejects(audit.intake.accept(intruder, [entry]), /Another process is writing journal broker-/);
        intruder.close();
      }
      assert.equal(audit.log.size, 1);
      assert.deepEqual(contests, [journal.id, journal.id]);
      await logged(journal, shipping);
      await shipping.stop();
      await journal.close();
      await audit.close();
    });
  }

  it("one after the other is no fault: a process that starts anew goes on under its own key", async () => {
    const audit = await openAudit(folder());
    audit.contested = () => assert.fail("contested");
    for (let boot = 1; boot <= 3; boot++) {
      const journal = await openJournal(folder());
      const shipping = ship(journal, audit.client());
      await logged(journal, shipping);
      await shipping.stop();
      await journal.close();
      assert.equal(audit.log.size, boot);
    }
    await audit.close();
  });
});

describe("AUDT-05: several shippers of one journal, whose acknowledgements are lost or late", () => {
  it("bring every record into the log at least once and at most once", async () => {
    const audit = await openAudit(folder());
    const journal = await openJournal(folder());
    /** Loses its connection after some answers, before or after the log took what was sent. */
    const flaky = (everyMs: number): JournalClient => ({
      prove: (request, options) => audit.client().prove(request, options),
      async *ship(requests, options) {
        const until = Date.now() + everyMs * Math.random();
        for await (const answer of audit.client().ship(requests, options)) {
          if (Date.now() > until) throw new Error("the connection is gone");
          if (Math.random() < 0.2) await new Promise((resolve) => setTimeout(resolve, 20));
          yield answer;
        }
      },
    });
    const shippers = [ship(journal, flaky(30)), ship(journal, flaky(50)), ship(journal, audit.client())];
    const appended: string[] = [];
    for (let at = 0; at < 60; at++) {
      const some = await Promise.all([1, 2, 3].map(() => journal.append(recordFor(useOf("deploy")))));
      appended.push(...some.map(({ uid }) => uid));
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    await until(() => shippers.every(({ loggedSequence }) => loggedSequence >= journal.last), "logged");
    await Promise.all(shippers.map((each) => each.stop()));
    assert.deepEqual(allOf(audit.log).map(uidOf), appended);
    await journal.close();
    await audit.close();
  });
});

describe("AUDT-01: an audit service that hangs", () => {
  const hanging: JournalClient = {
    prove: () => assert.fail("nothing is logged"),
    async *ship(_requests, options) {
      await new Promise((_resolve, reject) => options?.signal?.addEventListener("abort", () => reject(new Error("given up"))));
    },
  };

  it("does not hold up effects until the journal is full; then they are refused at once, and go on by themselves", async () => {
    const audit = await openAudit(folder());
    let client = hanging;
    const switching: JournalClient = {
      ship: (requests, options) => client.ship(requests, options),
      prove: (request, options) => client.prove(request, options),
    };
    const journal = await openJournal(folder(), "broker", { maxBytes: 2 * 1024 * 1024, reserveBytes: 256 * 1024 });
    const shipping = ship(journal, switching, { answerMs: 200 });
    const began = performance.now();
    let accepted = 0;
    await assert.rejects(async () => {
      for (; ; accepted++) await journal.append(recordFor(useOf("deploy", "secret.use", 10_000)));
    }, unavailable);
    assert.ok(performance.now() - began < 5000);
    assert.ok(accepted > 100);
    client = audit.client();
    await until(() => journal.first > 1n, "drained");
    await journal.append(recordFor(useOf("deploy")));
    await until(() => shipping.loggedSequence >= journal.last, "logged");
    assert.equal(audit.log.size, accepted + 1);
    await shipping.stop();
    await journal.close();
    await audit.close();
  });

  it("in strict mode refuses in bounded time, then at once, leaves no open intent, and recovers by itself", async () => {
    const audit = await openAudit(folder());
    let client = hanging;
    const writer = await EvidenceWriter.open({
      dir: join(folder(), "strict"),
      service: "broker",
      version: "0.1.0",
      clock,
      mode: "strict",
      client: { ship: (requests, options) => client.ship(requests, options), prove: (request, options) => client.prove(request, options) },
      publishMs: 200,
    });
    await assert.rejects(writer.intent(useOf("deploy")), unavailable);
    const began = performance.now();
    await assert.rejects(writer.intent(useOf("deploy")), unavailable);
    assert.ok(performance.now() - began < 100);
    assert.equal(writer.journal.openIntents().length, 0);
    client = audit.client();
    await writer.shipping?.stop();
    await writer.stop();
    const again = await EvidenceWriter.open({
      dir: join(folder(), "strict"),
      service: "broker",
      version: "0.1.0",
      clock,
      mode: "strict",
      client,
      publishMs: 5000,
    });
    const intent = await again.intent(useOf("deploy"));
    await intent.outcome(useOf("deploy"));
    await again.stop();
    await audit.close();
  });
});

describe("an audit service that is killed while it takes journals in", () => {
  it("loses nothing that it acknowledged, many times over", async function () {
    this.timeout(90_000);
    const acknowledged = { sequence: 0n, index: -1n };
    for (let round = 0; round < 8; round++) {
      const child = spawn(
        process.execPath,
        ["--no-warnings", new URL("../take-in-forever.fixture.ts", import.meta.url).pathname, folder()],
        {
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      const gone = new Promise((resolve) => child.once("close", resolve));
      // So many entries are logged before it is killed, however fast the machine is; what it is doing then is left to chance.
      const enough = acknowledged.sequence + BigInt(Math.floor(40 + Math.random() * 100));
      let doomed = false;
      for await (const line of createInterface({ input: child.stdout })) {
        const [sequence, index] = line.split(" ");
        if (!doomed && BigInt(sequence ?? 0) >= enough) {
          setTimeout(() => child.kill("SIGKILL"), Math.random() * 20);
          doomed = true;
        }
        if (index === undefined || !/^\d+ \d+$/.test(line)) continue;
        acknowledged.sequence = BigInt(sequence as string);
        acknowledged.index = BigInt(index);
      }
      await gone;
    }
    assert.ok(acknowledged.sequence > 100n, `${acknowledged.sequence}`);
    const files = logFolder(join(folder(), "log"));
    assert.ok(files.segments.length > 1);
    const verification = verifyLog(files);
    assert.ok(verification.kind === "intact", verification.sentence);
    assert.ok(verification.size > Number(acknowledged.index));
  });
});
