import type { Readable } from "node:stream";
import { Refusal } from "@sallyport/contracts";

/** A handover holds a ticket and a CA's certificates; what is longer is none. */
const maxLength = 128 * 1024;

/**
 * The first line that begins with the prefix, without its line break. Lines before it are passed over. What came after it in the
 * same piece stays in the stream for whoever reads on, which `readline` would swallow.
 *
 * @throws Refusal TICKET_INVALID where the stream ends first, or holds no such line in 128 KiB
 */
export async function firstLine(input: Readable, prefix: string, signal?: AbortSignal): Promise<string> {
  let pending = Buffer.alloc(0);
  for (;;) {
    const chunk: unknown = input.read();
    if (chunk === null) {
      if (input.readableEnded || input.destroyed || !(await readable(input, signal))) throw ended();
      continue;
    }
    pending = Buffer.concat([pending, Buffer.from(chunk as string | Uint8Array)]);
    for (let end = pending.indexOf("\n"); end >= 0; end = pending.indexOf("\n")) {
      const line = pending.subarray(0, end).toString("utf8").replace(/\r$/, "");
      pending = pending.subarray(end + 1);
      if (!line.startsWith(prefix)) continue;
      if (pending.length > 0) input.unshift(input.readableEncoding === null ? pending : pending.toString(input.readableEncoding));
      return line;
    }
    if (pending.length > maxLength)
      throw new Refusal("TICKET_INVALID", "The other end of the pipe sends something else than an enrolment.");
  }
}

/** Waits until there is something to read; false where there never will be. */
function readable(input: Readable, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => () => {
      input.off("readable", onReadable).off("end", onEnd).off("close", onEnd).off("error", onEnd);
      signal?.removeEventListener("abort", onAbort);
      act();
    };
    const onReadable = settle(() => resolve(true));
    const onEnd = settle(() => resolve(false));
    const onAbort = settle(() => reject(signal?.reason));
    input.on("readable", onReadable).on("end", onEnd).on("close", onEnd).on("error", onEnd);
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted) onAbort();
  });
}

const ended = () => new Refusal("TICKET_INVALID", "The other end closed the pipe before it sent its line.");
