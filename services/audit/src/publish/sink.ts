/** A record as it goes out. */
export interface OutgoingRecord {
  /** Index in the log. */
  readonly index: number;
  /** The exact bytes that were hashed. */
  readonly bytes: Buffer;
  readonly uid: string;
  /** What keeps a session's records in order: the session, or the journal where there is none. */
  readonly key: string;
  /** W3C trace context, or empty. */
  readonly traceparent: string;
}

/** Where records go. One at a time is called: the next send begins once the last has ended. */
export interface Sink {
  /** Resolves once every record is acknowledged; rejects where that is not certain. The order of the list is kept. */
  send(records: readonly OutgoingRecord[]): Promise<void>;
  /** The same for a signed checkpoint. */
  sendCheckpoint(note: string): Promise<void>;
  /** Lets go of every connection at once, whatever hangs. */
  close(): Promise<void>;
}

/** Makes a sink that is ready to send. Called again after every failure. */
export type OpenSink = (signal: AbortSignal) => Promise<Sink>;
