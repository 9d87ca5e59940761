import { entityManagement } from "@sallyport/evidence";
import type { EvidenceWriter } from "@sallyport/journal";
import type { Host } from "@sallyport/service";
import type { IntakeEvents } from "./intake.ts";

/** Milliseconds in which a journal's being contested is on record once: whoever is refused tries again and again. */
const contestedEveryMs = 60_000;

/** Puts on record which keys journals are signed by, and that a second process wrote one. */
export function journalEvents(evidence: Pick<EvidenceWriter, "record">, { clock, log }: Pick<Host, "clock" | "log">): IntakeEvents {
  const contestedAt = new Map<string, number>();
  const record = (event: string, journalId: string, key: Uint8Array) => {
    const status = event === "journal.boot" ? "success" : "failure";
    const draft = entityManagement(event === "journal.boot" ? "activate" : "update", {
      event,
      status,
      details: { boot_key: Buffer.from(key).toString("base64url") },
      entity: { type: "journal", uid: journalId },
    });
    evidence
      .record(draft)
      .catch((error: unknown) => log.warn({ err: error, journalId, event }, "what became of a journal is not on record"));
  };
  return {
    boot: (journalId, key) => record("journal.boot", journalId, key),
    contested: (journalId, key) => {
      const now = clock.monotonic();
      if (now - (contestedAt.get(journalId) ?? Number.NEGATIVE_INFINITY) < contestedEveryMs) return;
      contestedAt.set(journalId, now);
      log.warn({ journalId }, "two processes write one journal; the second was refused");
      record("journal.contested", journalId, key);
    },
  };
}
