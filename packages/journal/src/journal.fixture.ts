import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiActivity, type Envelope, type EvidenceRecord, evidenceRecord } from "@sallyport/evidence";
import type { Clock } from "./clock.ts";

export const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** A clock that stands still until it is told otherwise. */
export class HandClock implements Clock {
  ms = 1_790_000_000_000;
  now = () => this.ms;
  monotonic = () => this.ms;
}

export const draftOf = (event: string, size = 0) =>
  apiActivity("create", { event, status: "success", details: { filler: "x".repeat(size) }, api: { operation: "POST /v1/refunds" } });

export const recordOf = (event: string, more: Partial<Envelope> & { size?: number } = {}): EvidenceRecord =>
  evidenceRecord(draftOf(event, more.size), { service: "broker", version: "0.1.0", time: Date.now(), phase: "event", ...more });

/** A folder that is gone after each test. */
export function scratchFolder(): () => string {
  let dir = "";
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "sallyport-journal-"));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  return () => dir;
}
