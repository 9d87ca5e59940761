import { readIfPresent, replaceFile } from "@sallyport/journal";

/** How far one log was sent to one topic. */
export interface Cursor {
  readonly origin: string;
  readonly topic: string;
  /** Records sent and acknowledged, from the start of the log. */
  readonly size: number;
}

/** The cursor in a file; 0 where it is missing, unreadable, or of another log or topic: what is sent twice is known by its uid. */
export function readCursor(path: string, origin: string, topic: string): number {
  try {
    const cursor = JSON.parse(readIfPresent(path) ?? "") as Partial<Cursor>;
    return cursor.origin === origin && cursor.topic === topic && Number.isSafeInteger(cursor.size) ? (cursor.size as number) : 0;
  } catch {
    return 0;
  }
}

export const keepCursor = (path: string, cursor: Cursor): void => replaceFile(path, `${JSON.stringify(cursor)}\n`);
