import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type EvidenceService, type QueryRequest, Refusal } from "@sallyport/contracts";
import type { Caller, Handlers } from "@sallyport/service";
import type { EvidenceLog } from "../log/evidence-log.ts";
import type { Search, SearchIndex } from "../search/search-index.ts";
import type { AuthorizeReplay } from "./authorize-replay.ts";

export interface EvidenceParts {
  readonly log: EvidenceLog;
  readonly search: SearchIndex;
  readonly authorize: AuthorizeReplay;
  /** A signal for a stream: aborts when the caller is revoked. */
  readonly watch: (caller: Caller, signal: AbortSignal) => AbortSignal & Disposable;
}

const maxLimit = 10_000;
const tailBytes = 256 * 1024;

/** For people who investigate. Every reading is on record itself. */
export const evidenceHandlers = ({ log, search, authorize, watch }: EvidenceParts): Handlers<typeof EvidenceService> => ({
  async *query(request, call) {
    const { limit, from } = boundsOf(request);
    const caller = await authorize(call, detailsOf(request));
    using signal = watch(caller, call.signal);
    for (const index of await search.find(searchOf(request), from, limit)) {
      signal.throwIfAborted();
      yield { record: { index: BigInt(index), record: log.read(index, 1)[0] as Buffer } };
    }
  },

  async *tail(request, call) {
    const from = request.fromIndexPlusOne === 0n ? undefined : indexOf(request.fromIndexPlusOne - 1n);
    const caller = await authorize(call, { from: from ?? log.size });
    using signal = watch(caller, call.signal);
    for (let next = from ?? log.size; ; ) {
      const records = log.read(next, tailBytes);
      for (const record of records) {
        signal.throwIfAborted();
        yield { record: { index: BigInt(next), record } };
        next += 1;
      }
      if (records.length === 0) await log.waitForMore(next, signal);
      signal.throwIfAborted();
    }
  },

  async getCheckpoint(_request, call) {
    await authorize(call, {});
    return { checkpoint: log.checkpoint };
  },
});

function boundsOf(request: QueryRequest): { limit: number; from: number } {
  if (request.limit > maxLimit) throw new Refusal("INVALID_REQUEST", `Ask for at most ${maxLimit} records at a time.`);
  return { limit: request.limit || 100, from: indexOf(request.fromIndex) };
}

function indexOf(index: bigint): number {
  if (index > BigInt(Number.MAX_SAFE_INTEGER)) throw new Refusal("INVALID_REQUEST", "There is no such index in any log.");
  return Number(index);
}

const given = (text: string): string | undefined => (text === "" ? undefined : text);

const searchOf = (request: QueryRequest): Search => ({
  sid: given(request.sessionId),
  linkId: given(request.linkId),
  secret: given(request.secret),
  target: given(request.target),
  uid: given(request.eventUid),
  since: request.since && timestampMs(request.since),
  until: request.until && timestampMs(request.until),
});

/** What was looked for, for the record of it. */
const detailsOf = (request: QueryRequest): Record<string, string> =>
  Object.fromEntries(Object.entries(searchOf(request)).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])));
