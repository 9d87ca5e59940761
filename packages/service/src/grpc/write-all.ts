import type { EventEmitter } from "node:events";

/** What is needed of a grpc-js stream to write to it. */
export interface MessageSink extends Pick<EventEmitter, "on" | "removeListener"> {
  readonly destroyed?: boolean | undefined;
  readonly writableEnded?: boolean | undefined;
  write(bytes: Buffer): boolean;
}

/** Writes a stream's messages as fast as the other side takes them, and no faster. */
export async function writeAll<T>(to: MessageSink, messages: AsyncIterable<T>, encode: (message: T) => Buffer): Promise<void> {
  for await (const message of messages) {
    if (to.destroyed || to.writableEnded) return;
    if (!to.write(encode(message))) await writable(to);
  }
}

/** Resolves when there is room again, or nobody is left to write to. */
const writable = (to: MessageSink) =>
  new Promise<void>((resolve) => {
    const events = ["drain", "close", "error", "cancelled", "finish"];
    const done = () => {
      for (const event of events) to.removeListener(event, done);
      resolve();
    };
    for (const event of events) to.on(event, done);
  });
