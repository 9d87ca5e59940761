/** What a record can be found by. */
export interface RecordFacts {
  readonly uid: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly secret: string | undefined;
  readonly target: string | undefined;
  readonly links: readonly { id: string; sid: string }[];
}

/**
 * Reads what a record says of itself. The log holds whatever a service signed, for good, so no record may end the index: what is
 * not of the expected kind is left out, and the record is found by its number alone.
 */
export function factsOf(record: Uint8Array): RecordFacts {
  const { metadata, time, unmapped } = partsOf(record);
  const sallyport = objectIn(unmapped.sallyport);
  return {
    uid: textIn(metadata.uid) ?? "",
    time: typeof time === "number" && Number.isFinite(time) ? time : 0,
    secret: textIn(objectIn(sallyport.secret).name),
    target: textIn(objectIn(sallyport.target).name),
    links: linksIn(unmapped.delegation),
  };
}

/** The parts of a record that others are found by; empty where it is no JSON object. */
export function partsOf(record: Uint8Array) {
  const event = objectIn(parsed(record));
  return { metadata: objectIn(event.metadata), time: event.time, unmapped: objectIn(event.unmapped) };
}

/** A chain of which every link says who it is; else none, as half a chain would be another one. */
export function linksIn(delegation: unknown): { id: string; sid: string }[] {
  if (!Array.isArray(delegation)) return [];
  const links = delegation.map((link) => ({ id: textIn(objectIn(link).id), sid: textIn(objectIn(link).session_uid) }));
  return links.every((link): link is { id: string; sid: string } => link.id !== undefined && link.sid !== undefined) ? links : [];
}

export const textIn = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

export const objectIn = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

function parsed(record: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(record.buffer, record.byteOffset, record.byteLength).toString("utf8"));
  } catch {
    return undefined;
  }
}
