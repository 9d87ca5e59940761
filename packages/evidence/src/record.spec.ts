import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import fc from "fast-check";
import {
  apiActivity,
  authentication,
  authorizeSession,
  type Draft,
  datastoreActivity,
  entityManagement,
  evidenceRecord,
  type Facts,
  finalBytes,
  leafHash,
  maxRecordBytes,
  placeOf,
  uidOf,
  unknownOutcome,
} from "./index.ts";

const facts: Facts = {
  event: "secret.use",
  status: "success",
  sentence: "Used.",
  action: "use",
  chain: {
    links: [
      { id: "corp/release", kind: "service", sid: "s".repeat(22), owner: "corp/alice" },
      { id: "corp/release#deploy", kind: "agent", sid: "t".repeat(22) },
      { id: "corp/release#deploy/migration", kind: "agent", sid: "u".repeat(22) },
    ],
    groups: ["corp/release-team"],
  },
  peer: { address: "127.0.0.1:50123", thumbprint: "x".repeat(43) },
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  secret: { name: "prod/orders/api", version: "3", fields: ["token"] },
  target: { name: "orders-api", kind: "http", host: "orders.internal" },
  statement: { masked: "POST /v1/refunds", keyedHash: "ab".repeat(32) },
  policies: { version: "cd".repeat(32), determining: ["orders.use"] },
  accessRequestId: "r1",
  approvers: [{ id: "corp/bob", approval: "high-value", at: 1_790_000_000_000 }],
  requestDigest: "ef".repeat(32),
  details: { bytes: 12, redirected: false, names: ["a"] },
};

const drafts: Draft[] = [
  authentication("logon", { ...facts, protocol: "OIDC", provider: "corp" }),
  authentication("ticket", { event: "agent.redeem", status: "failure", reason: "TICKET_INVALID", protocol: "ticket" }),
  authentication("renew", facts),
  authorizeSession({ ...facts, event: "access.decide" }),
  entityManagement("enroll", { ...facts, event: "agent.enrol", entity: { type: "agent", uid: "s1", name: "corp/release#deploy" } }),
  entityManagement("deactivate", { ...facts, aggregated: { count: 3, firstAt: 1, lastAt: 2 }, entity: { type: "session", uid: "s1" } }),
  apiActivity("create", { ...facts, api: { operation: "POST /v1/refunds", service: "orders-api", responseCode: 201 } }),
  apiActivity("other", { event: "secret.use", status: "unknown", peer: { address: "::1" }, api: { operation: "BREW /pot" } }),
  datastoreActivity("write", { ...facts, datastore: { name: "vault", kind: "secret-store" } }),
  datastoreActivity("query", { ...facts, datastore: { name: "orders-db", kind: "database" } }),
];

const envelope = { service: "broker", version: "0.1.0", time: 1_790_000_000_000, phase: "event" } as const;
const bytesOf = (draft: Draft, more: object = {}) =>
  Buffer.from(finalBytes(evidenceRecord(draft, { ...envelope, ...more }), "broker-00ff", 7n));

const schema = JSON.parse(readFileSync(new URL("./ocsf-1.8.0.schema.json", import.meta.url), "utf8")) as {
  $defs: object;
  classes: Record<string, object>;
};

const ajv = new Ajv2020({ strict: false, allErrors: true });
const validators = new Map<number, ValidateFunction>();

/** What OCSF's own schema says of an event; empty where it is valid. */
function faultsOf(event: { class_uid: number }): string {
  const validate = validators.get(event.class_uid) ?? ajv.compile({ ...schema.classes[event.class_uid], $defs: schema.$defs });
  validators.set(event.class_uid, validate);
  return validate(event) ? "" : ajv.errorsText(validate.errors);
}

describe("an evidence record", () => {
  it("is a valid OCSF 1.8 event in each of its classes and phases", () => {
    for (const draft of drafts) {
      for (const phase of ["intent", "outcome", "event"] as const) {
        const event = JSON.parse(bytesOf(draft, { phase, ...(phase === "outcome" ? { intentUid: "i" } : {}) }).toString("utf8"));
        assert.equal(faultsOf(event), "", `${event.class_name} ${phase}`);
      }
    }
  });

  it("says who asked through whom, which secret, what was run, which policies, who approved, and the trace", () => {
    const event = JSON.parse(bytesOf(drafts[6] as Draft, { phase: "outcome", intentUid: "the-intent" }).toString("utf8"));
    assert.deepEqual(
      event.unmapped.delegation.map((link: { id: string }) => link.id),
      ["corp/release", "corp/release#deploy", "corp/release#deploy/migration"],
    );
    const { sallyport } = event.unmapped;
    assert.equal(sallyport.intent_uid, "the-intent");
    assert.deepEqual([sallyport.secret.name, sallyport.secret.version], ["prod/orders/api", "3"]);
    assert.deepEqual(sallyport.statement, { masked: "POST /v1/refunds", keyed_hash: "ab".repeat(32) });
    assert.deepEqual(sallyport.policies.determining, ["orders.use"]);
    assert.equal(sallyport.approvers[0].id, "corp/bob");
    assert.equal(event.metadata.correlation_uid, "0af7651916cd43dd8448eb211c80319c");
    assert.deepEqual([event.metadata.log_name, event.metadata.sequence], ["broker-00ff", 7]);
  });

  it("has the same bytes for the same draft, and tells its place and uid without being parsed", () => {
    const draft = drafts[0] as Draft;
    const [one, two] = [bytesOf(draft, { uid: "u-1" }), bytesOf(structuredClone(draft), { uid: "u-1" })];
    assert.ok(one.equals(two));
    assert.deepEqual(placeOf(one), { journal: "broker-00ff", sequence: 7n });
    assert.equal(uidOf(one), "u-1");
  });

  it("has a uid of its own that sorts by time", () => {
    const uids = Array.from({ length: 2000 }, () => evidenceRecord(drafts[0] as Draft, envelope).uid);
    assert.equal(new Set(uids).size, uids.length);
    assert.ok(uids.every((uid) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uid)));
    assert.ok(evidenceRecord(drafts[0] as Draft, { ...envelope, time: envelope.time + 1 }).uid > (uids[0] as string));
  });

  it("becomes the UNKNOWN outcome of an intent whose writer stopped, in the same class and valid", () => {
    for (const draft of drafts) {
      const outcome = unknownOutcome(bytesOf(draft, { phase: "intent" }), facts.traceparent as string);
      const event = JSON.parse(bytesOf(outcome, { phase: "outcome", intentUid: "i" }).toString("utf8"));
      assert.equal(faultsOf(event), "");
      assert.deepEqual([event.class_uid, event.status, event.status_code], [draft.classUid, "Unknown", "OUTCOME_UNKNOWN"]);
      assert.equal(event.unmapped.delegation?.length, draft.facts.chain?.links.length);
    }
  });
});

describe("AUDT-17: text of a caller's in a record", () => {
  const nasty = '\n{"event":"approved"}\r\u0000\u001b]0;x\u0007\u001b[2J\u2028\u2029\u0085\u009b1m\u202e\u200b\ufeff\ud800=cmd()"\\';

  it("stays one line, drives no terminal, and reads the same after a round trip", () => {
    const bytes = bytesOf(apiActivity("read", { ...facts, sentence: nasty, details: { [nasty]: nasty }, api: { operation: nasty } }));
    assert.ok(!bytes.includes(0x0a) && !bytes.includes(0x0d));
    const text = bytes.toString("utf8");
    assert.ok(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text));
    assert.equal(JSON.parse(text).message, nasty.toWellFormed());
    assert.ok(leafHash(bytes).equals(leafHash(Buffer.from(text, "utf8"))));
  });

  it("holds for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        const bytes = bytesOf(apiActivity("read", { ...facts, sentence: text, target: { name: text }, api: { operation: text } }));
        const read = bytes.toString("utf8");
        assert.ok(Buffer.from(read, "utf8").equals(bytes));
        assert.ok(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(read));
        assert.equal(JSON.parse(read).message, text.toWellFormed());
      }),
    );
  });

  it("is kept as it is where there is nothing to escape", () => {
    const text = "Müller – 注文 – 👩‍🚀".replaceAll("\u200d", "");
    assert.ok(bytesOf(apiActivity("read", { ...facts, sentence: text, api: { operation: "GET /" } })).includes(Buffer.from(text)));
  });
});

describe("a record that would be too large", () => {
  it("is reduced, says so, and still names the whole chain", () => {
    const links = Array.from({ length: 17 }, (_, at) => ({
      id: `corp/${"x".repeat(200)}#${"y".repeat(63 * at)}`,
      kind: "agent" as const,
      sid: "s".repeat(22),
    }));
    const bytes = bytesOf(
      apiActivity("read", {
        ...facts,
        chain: { links },
        statement: { masked: "Ω".repeat(100_000), keyedHash: "ab" },
        api: { operation: "GET /" },
      }),
    );
    assert.ok(bytes.length <= maxRecordBytes);
    const event = JSON.parse(bytes.toString("utf8"));
    assert.equal(event.metadata.is_truncated, true);
    assert.equal(faultsOf(event), "");
    assert.deepEqual(
      event.unmapped.delegation.map((link: { id: string }) => link.id),
      links.map(({ id }) => id),
    );
    assert.ok(event.unmapped.sallyport.statement.masked.endsWith("…"));
  });

  it("never is, whatever it is made of", () => {
    const big = fc
      .string({ unit: "binary", minLength: 1, maxLength: 40 })
      .chain((text) => fc.integer({ min: 1, max: 4000 }).map((times) => text.repeat(times)));
    fc.assert(
      fc.property(fc.array(big, { maxLength: 60 }), big, (texts, text) => {
        const draft = apiActivity("read", {
          event: "e",
          sentence: text,
          chain: { links: texts.map((id) => ({ id, kind: "agent" as const, sid: id })), groups: texts },
          policies: { determining: texts },
          details: Object.fromEntries(texts.map((key) => [key, texts])),
          api: { operation: text },
        });
        assert.ok(bytesOf(draft).length <= maxRecordBytes);
        assert.ok(bytesOf(draft, { maxBytes: 16_384 }).length <= 16_384);
      }),
      { numRuns: 30 },
    );
  });
});
