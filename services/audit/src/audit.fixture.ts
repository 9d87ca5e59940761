import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { ROOT_CONTEXT } from "@opentelemetry/api";
import { JournalService, ProveRequestSchema, ProveResponseSchema, ShipRequestSchema, ShipResponseSchema } from "@sallyport/contracts";
import {
  apiActivity,
  type Draft,
  evidenceRecord,
  finalBytes,
  type NoteVerifier,
  parseManifest,
  parseVerifierKey,
} from "@sallyport/evidence";
import { type Clock, Journal, type JournalClient, logFolder } from "@sallyport/journal";
import type { Call } from "@sallyport/service";
import { Intake } from "./journals/intake.ts";
import { EvidenceLog } from "./log/evidence-log.ts";
import { nowhere, type Published } from "./publish/published.ts";
import { journalHandlers } from "./rpc/journal.ts";
import { SearchIndex } from "./search/search-index.ts";

export const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
export const key = generateKeyPairSync("ed25519").privateKey;
export const quiet = { warn: () => {}, info: () => {} };

/** A folder that is gone after each test. */
export function scratchFolder(): () => string {
  let dir = "";
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "sallyport-audit-"));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  return () => dir;
}

export const openLog = (dir: string, recordsPerSegment = 64) =>
  EvidenceLog.open({ dir: join(dir, "log"), trustDomain: "test.internal", key, recordsPerSegment });

export const openJournal = (dir: string, service = "broker", more: object = {}) =>
  Journal.open({ dir: join(dir, `${service}-journal`), service, clock, reserveBytes: 1024 * 1024, ...more });

/** The key that the log in a folder names. */
export function keyOfLog(dir: string): NoteVerifier {
  const manifest = parseManifest(logFolder(join(dir, "log")).manifest ?? "");
  return parseVerifierKey(manifest?.verifierKey ?? "") as NoteVerifier;
}

export const chainOf = (name: string, sid = name.padEnd(22, "x")) => ({
  links: [
    { id: "corp/release", kind: "service" as const, sid: "r".repeat(22) },
    { id: `corp/release#${name}`, kind: "agent" as const, sid },
  ],
});

export const useOf = (agent: string, event = "secret.use", size = 0): Draft =>
  apiActivity("create", {
    event,
    status: "success",
    chain: chainOf(agent),
    secret: { name: "prod/orders/api", version: "1" },
    target: { name: "orders-api" },
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    details: { filler: "x".repeat(size) },
    api: { operation: "POST /v1/refunds" },
  });

export const recordFor = (draft: Draft) => evidenceRecord(draft, { service: "broker", version: "0.1.0", time: Date.now(), phase: "event" });

/** Records' final bytes, as of a journal that nobody keeps. */
export const bytesFor = (count: number, from = 1, journal = "broker-0123456789", size = 0) =>
  Array.from({ length: count }, (_, at) => finalBytes(recordFor(useOf("deploy", "secret.use", size)), journal, BigInt(from + at)));

export const callOf = (signal: AbortSignal): Call => ({
  method: JournalService.method.ship,
  door: "in-process",
  peer: { kind: "service", role: "broker", spiffeId: "spiffe://test.internal/broker" },
  signal,
  deadline: undefined,
  metadata: new Map(),
  requestHash: new Uint8Array(32),
  trace: ROOT_CONTEXT,
  setHeader: () => {},
});

/** The audit service's intake, called without a socket. */
export function clientOf(log: EvidenceLog, intake: Intake, published: Published): JournalClient {
  const handlers = journalHandlers(log, intake, published);
  return {
    prove: async (request, options = {}) => {
      const call = callOf(options.signal ?? new AbortController().signal);
      return create(ProveResponseSchema, await handlers.prove(create(ProveRequestSchema, request), call));
    },
    async *ship(requests, options = {}) {
      const signal = options.signal ?? new AbortController().signal;
      const messages = (async function* () {
        for await (const request of requests) yield create(ShipRequestSchema, request);
      })();
      for await (const answer of handlers.ship(messages, callOf(signal))) yield create(ShipResponseSchema, answer);
    },
  };
}

/** An audit service without listeners: log, search and intake over one folder. */
export async function openAudit(dir: string, recordsPerSegment = 64) {
  const search = SearchIndex.open(join(dir, "search.sqlite"));
  const log = await EvidenceLog.open({
    dir: join(dir, "log"),
    trustDomain: "test.internal",
    key,
    recordsPerSegment,
    subtree: (segment) => search.subtree(segment),
  });
  const intake = new Intake(log, await search.follow(log), { contested: (journalId) => audit.contested(journalId) });
  const audit = {
    contested: (_journalId: string): void => {},
    log,
    search,
    intake,
    client: (published: Published = nowhere(log)) => clientOf(log, intake, published),
    close: async () => {
      await search.close();
      await log.close();
    },
  };
  return audit;
}

export async function until(condition: () => boolean, what: string, ms = 10_000): Promise<void> {
  for (const end = Date.now() + ms; !condition(); ) {
    if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
