/** The parts of a record that people look at. */
export interface Event {
  readonly time: number;
  readonly class_name: string;
  readonly activity_name: string;
  readonly status: string;
  readonly status_code?: string;
  readonly message?: string;
  readonly count?: number;
  readonly metadata: {
    readonly uid: string;
    readonly event_code: string;
    readonly product: { readonly feature: { readonly name: string } };
  };
  readonly unmapped: {
    readonly delegation?: readonly { readonly id: string; readonly session_uid: string }[];
    readonly sallyport: {
      readonly phase: string;
      readonly intent_uid?: string;
      readonly secret?: { readonly name: string; readonly version?: string };
      readonly target?: { readonly name: string };
      readonly policies?: { readonly determining?: readonly string[] };
      readonly approvers?: readonly { readonly id: string }[];
    };
  };
}

/** A record's event. A line that is none, as in a log that somebody edited, reads as the event `unreadable`. */
export function eventOf(text: string): Event {
  try {
    const event = JSON.parse(text) as Event;
    if (typeof event.metadata.uid === "string" && typeof event.unmapped.sallyport === "object" && Math.abs(event.time) < 8.64e15)
      return event;
  } catch {
    // As below.
  }
  return {
    time: 0,
    class_name: "",
    activity_name: "",
    status: "Unknown",
    metadata: { uid: "", event_code: "unreadable", product: { feature: { name: "" } } },
    unmapped: { sallyport: { phase: "" } },
  };
}

/** What is looked for; all that is given must hold. */
export interface Filter {
  readonly session?: string;
  readonly link?: string;
  readonly secret?: string;
  readonly target?: string;
  readonly uid?: string;
  readonly event?: string;
  readonly since?: number;
  readonly until?: number;
}

export function matches({ metadata, time, unmapped }: Event, filter: Filter): boolean {
  const { delegation = [], sallyport } = unmapped;
  return (
    (filter.uid === undefined || metadata.uid === filter.uid || sallyport.intent_uid === filter.uid) &&
    (filter.event === undefined || metadata.event_code === filter.event) &&
    (filter.session === undefined || delegation.some(({ session_uid }) => session_uid === filter.session)) &&
    (filter.link === undefined || delegation.some(({ id }) => id === filter.link)) &&
    (filter.secret === undefined || sallyport.secret?.name === filter.secret) &&
    (filter.target === undefined || sallyport.target?.name === filter.target) &&
    (filter.since === undefined || time >= filter.since) &&
    (filter.until === undefined || time < filter.until)
  );
}
