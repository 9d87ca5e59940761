import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { create } from "@bufbuild/protobuf";
import { GetCheckpointRequestSchema, QueryRequestSchema, Refusal, TailRequestSchema } from "@sallyport/contracts";
import { openCheckpoint, uidOf } from "@sallyport/evidence";
import { ship } from "@sallyport/journal";
import type { Caller } from "@sallyport/service";
import { callOf, keyOfLog, openAudit, openJournal, recordFor, scratchFolder, until, useOf } from "../audit.fixture.ts";
import type { AuthorizeReplay } from "./authorize-replay.ts";
import { evidenceHandlers } from "./evidence.ts";

const folder = scratchFolder();
const anyone: AuthorizeReplay = async () => ({}) as Caller;
const nobody: AuthorizeReplay = async () => {
  throw new Refusal("DENIED_BY_POLICY", "no");
};

/** An audit service with some records of two agents in it. */
async function withRecords(count = 30) {
  const audit = await openAudit(folder());
  const journal = await openJournal(folder());
  const uids: string[] = [];
  for (let at = 0; at < count; at++)
    uids.push((await journal.append(recordFor(useOf(at % 3 === 0 ? "migrate" : "deploy", `e.${at}`)))).uid);
  const shipping = ship(journal, audit.client());
  await until(() => shipping.loggedSequence >= journal.last, "logged");
  await shipping.stop();
  await journal.close();
  return { audit, uids };
}

type Audit = Awaited<ReturnType<typeof openAudit>>;

function serve(audit: Audit, authorize = anyone) {
  const revoked = new AbortController();
  const watch = (_caller: Caller, signal: AbortSignal) =>
    Object.assign(AbortSignal.any([signal, revoked.signal]), { [Symbol.dispose]: () => {} });
  const handlers = evidenceHandlers({ log: audit.log, search: audit.search, authorize, watch });
  const call = callOf(new AbortController().signal);
  const query = async (init: Parameters<typeof create<typeof QueryRequestSchema>>[1] = {}) => {
    const records: Uint8Array[] = [];
    for await (const { record } of handlers.query(create(QueryRequestSchema, init), call)) records.push(record?.record as Uint8Array);
    return records.map(uidOf);
  };
  return { handlers, call, query, revoked };
}

describe("reading evidence", () => {
  it("finds records by session, actor, secret, target, uid, time and index, oldest first, the newest included", async () => {
    const { audit, uids } = await withRecords();
    const { query } = serve(audit);
    const migrate = uids.filter((_, at) => at % 3 === 0);
    assert.deepEqual(await query({ limit: 1000 }), uids);
    assert.deepEqual(await query({ linkId: "corp/release#migrate" }), migrate);
    assert.deepEqual(await query({ sessionId: "migrate".padEnd(22, "x"), limit: 2 }), migrate.slice(0, 2));
    assert.deepEqual(
      await query({ linkId: "corp/release", secret: "prod/orders/api", target: "orders-api", fromIndex: 28n }),
      uids.slice(28),
    );
    assert.deepEqual(await query({ eventUid: uids[7] as string }), [uids[7]]);
    assert.deepEqual(await query({ secret: "prod/other" }), []);
    assert.deepEqual(await query({ until: { seconds: 1n, nanos: 0 } }), []);
    assert.deepEqual(await query({ secret: "' OR 1=1 --" }), []);
    await assert.rejects(query({ limit: 10_001 }), (error) => error instanceof Refusal && error.reason === "INVALID_REQUEST");
    await audit.close();
  });

  it("finds the same after the index was lost, was spoilt, or fell behind", async () => {
    const { audit, uids } = await withRecords(150);
    await audit.close();
    const path = join(folder(), "search.sqlite");
    for (const spoil of [
      () => {},
      () => {
        for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
      },
      () => {
        for (const suffix of ["-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
        writeFileSync(path, "this is no database, and long enough to be looked at closely by whoever opens it");
      },
    ]) {
      spoil();
      const again = await openAudit(folder());
      assert.deepEqual(await serve(again).query({ limit: 1000 }), uids);
      const journal = await openJournal(folder());
      const { uid } = await journal.append(recordFor(useOf("deploy")));
      uids.push(uid);
      const shipping = ship(journal, again.client());
      await until(() => shipping.loggedSequence >= journal.last, "logged");
      await shipping.stop();
      await journal.close();
      await again.close();
    }
  });

  it("refuses while the index cannot be written, and goes on by itself", async () => {
    const { audit, uids } = await withRecords(5);
    const { query } = serve(audit);
    await query();
    const other = new DatabaseSync(join(folder(), "search.sqlite"));
    other.exec("BEGIN IMMEDIATE");
    const journal = await openJournal(folder());
    const { uid } = await journal.append(recordFor(useOf("deploy")));
    const shipping = ship(journal, audit.client());
    await until(() => shipping.loggedSequence >= journal.last, "logged");
    await assert.rejects(query(), (error) => error instanceof Refusal && error.reason === "AUDIT_UNAVAILABLE");
    other.exec("ROLLBACK");
    other.close();
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.deepEqual(await query(), [...uids, uid]);
    await shipping.stop();
    await journal.close();
    await audit.close();
  });

  it("follows what is logged from now on or from an index, until the caller is revoked", async () => {
    const { audit, uids } = await withRecords(5);
    const { handlers, call, revoked } = serve(audit);
    const seen: string[] = [];
    const tailing = (async () => {
      for await (const { record } of handlers.tail(create(TailRequestSchema, { fromIndexPlusOne: 4n }), call))
        seen.push(uidOf(record?.record as Uint8Array) ?? "");
    })();
    const late = recordFor(useOf("deploy"));
    const journal = await openJournal(folder());
    await journal.append(late);
    const shipping = ship(journal, audit.client());
    await until(() => seen.length === 3, "followed");
    assert.deepEqual(seen, [...uids.slice(3), late.uid]);
    revoked.abort(new Refusal("CREDENTIAL_REVOKED", "revoked"));
    await assert.rejects(tailing, (error) => error instanceof Refusal && error.reason === "CREDENTIAL_REVOKED");
    await shipping.stop();
    await journal.close();
    await audit.close();
  });

  it("gives the newest signed checkpoint, and nothing at all to whom policy does not let", async () => {
    const { audit } = await withRecords(5);
    const { handlers, call } = serve(audit);
    const { checkpoint } = await handlers.getCheckpoint(create(GetCheckpointRequestSchema), call);
    assert.equal(openCheckpoint(checkpoint ?? "", keyOfLog(folder()))?.size, 5);
    const refused = serve(audit, nobody);
    await assert.rejects(refused.query(), /no/);
    await assert.rejects(refused.handlers.getCheckpoint(create(GetCheckpointRequestSchema), call), /no/);
    await assert.rejects(async () => {
      for await (const _ of refused.handlers.tail(create(TailRequestSchema), call));
    }, /no/);
    await audit.close();
  });
});
