/** What a record can be found by. */
export interface RecordFacts {
  readonly uid: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly secret: string | undefined;
  readonly target: string | undefined;
  readonly links: readonly { id: string; sid: string }[];
}

interface Event {
  metadata?: { uid?: string };
  time?: number;
  unmapped?: {
    delegation?: { id: string; session_uid: string }[];
    sallyport?: { secret?: { name?: string }; target?: { name?: string } };
  };
}

export function factsOf(record: Uint8Array): RecordFacts {
  const { metadata, time, unmapped } = JSON.parse(Buffer.from(record).toString("utf8")) as Event;
  return {
    uid: metadata?.uid ?? "",
    time: time ?? 0,
    secret: unmapped?.sallyport?.secret?.name,
    target: unmapped?.sallyport?.target?.name,
    links: (unmapped?.delegation ?? []).map(({ id, session_uid }) => ({ id, sid: session_uid })),
  };
}
