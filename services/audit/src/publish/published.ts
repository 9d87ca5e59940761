/** How far the log has left this machine, and whether more may be taken in. */
export interface Published {
  /** Records from the start of the log that Kafka acknowledged; all logged ones where there is no Kafka. */
  readonly size: number;
  /** Waits while the backlog is at its bound, or until the signal is aborted. */
  room(signal: AbortSignal): Promise<void>;
  /** @returns ends the subscription */
  onChange(listener: () => void): () => void;
}

/** Where there is no Kafka, what is logged is all there is to wait for. */
export function nowhere(log: { readonly size: number }): Published {
  return {
    get size() {
      return log.size;
    },
    room: async () => {},
    onChange: () => () => {},
  };
}
