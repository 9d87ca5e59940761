import type { MaskSet } from "@sallyport/masking";
import { Inside, unreadable } from "./inside.ts";

/** Bytes that may wait for what a value's beginning inside them turns out to be. */
const maxWaitingBytes = 4 * 1024 * 1024;

/**
 * A body that is or holds packed files (a download, not a content coding): gzip, zstd and zip, wherever in it they begin (in multipart, in a
 * tar), and in one another. Their bytes pass unchanged, since masking would break them, but they are unpacked beside, and refused when there is
 * a value in one. A file packed or encrypted in a way that is known but not read is refused; anything else passes on to the masker.
 *
 * @throws Refusal RESPONSE_UNINSPECTABLE
 */
export async function* inspectedBody(body: AsyncIterable<Uint8Array>, masks: MaskSet): AsyncGenerator<Uint8Array> {
  const inside = new Inside(masks, 0);
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  try {
    for await (const chunk of body) {
      await inside.write(chunk);
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (!inside.isClear) {
        if (waitingBytes > maxWaitingBytes) throw unreadable();
        continue;
      }
      while (waiting.length > 0 && waitingBytes - (waiting[0] as Uint8Array).length >= inside.lagBytes) {
        const first = waiting.shift() as Uint8Array;
        waitingBytes -= first.length;
        yield first;
      }
    }
    await inside.end();
    yield* waiting;
    waiting = [];
  } finally {
    inside.destroy();
  }
}
