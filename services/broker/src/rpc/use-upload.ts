import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type BrokerService, Refusal, type UseUploadRequest } from "@sallyport/contracts";
import type { Handler } from "@sallyport/service";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { withUpload } from "../targets/operation.ts";
import type { UseParts } from "../use/parts.ts";
import { use as useSecret } from "../use/use.ts";
import { parseUse } from "./parse-use.ts";
import type { CallerGate } from "./recording-gate.ts";
import { usePartToWire } from "./use.ts";

/** Uses a secret with a body that is too large for one message: its size and hash come first, and bind like an inline body. */
export const useUpload = (gate: CallerGate, catalogue: Catalogue, parts: UseParts): Handler<typeof BrokerService.method.useUpload> =>
  async function* (requests, call) {
    const input = requests[Symbol.asyncIterator]();
    const opening = await input.next();
    const head = opening.done || opening.value.part.case !== "head" ? undefined : opening.value.part.value;
    if (head?.use === undefined) throw new Refusal("INVALID_REQUEST", "An upload begins with a head that holds the use.");
    const caller = await gate.authenticate(call);
    const command = parseUse(head.use, caller, call, catalogue);
    if (head.sha256.length !== 32) throw new Refusal("INVALID_REQUEST", "An upload's head holds the SHA-256 of the body, 32 bytes.");
    const size = Number(head.size);
    const sha256 = Buffer.from(head.sha256).toString("hex");
    const operation = withUpload(command.operation, { size, sha256, pieces: checked(input, size, head.sha256, call.signal) });
    for await (const part of useSecret({ ...command, operation }, parts, call.signal)) yield { response: usePartToWire(part) };
  };

/** The pieces as declared. The last byte is held back until the hash is known to be right. @throws Refusal INVALID_REQUEST */
async function* checked(
  input: AsyncIterator<UseUploadRequest>,
  size: number,
  sha256: Uint8Array,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const hash = createHash("sha256");
  let received = 0;
  let held: Uint8Array = new Uint8Array();
  for (let next = await input.next(); !next.done; next = await input.next()) {
    if (next.value.part.case !== "data") throw new Refusal("INVALID_REQUEST", "After its head an upload has data only.");
    const piece = next.value.part.value;
    if (piece.length === 0) continue;
    received += piece.length;
    if (received > size) throw new Refusal("INVALID_REQUEST", "The body is longer than its head declares; nothing of its end was sent.");
    hash.update(piece);
    if (held.length > 0) yield held;
    yield piece.subarray(0, -1);
    held = piece.subarray(-1);
  }
  if (received < size) await cancelling(signal);
  if (received !== size || !hash.digest().equals(sha256))
    throw new Refusal("INVALID_REQUEST", "The body is not the one that its head declares; its last byte was not sent.");
  if (held.length > 0) yield held;
}

/** Milliseconds from the end of a cancelled call's messages until it is known to be cancelled, at most. */
const cancelledWithinMs = 250;

/** The messages of a cancelled call end like any other's, a moment before the cancelling is told. @throws its reason */
async function cancelling(signal: AbortSignal): Promise<void> {
  await sleep(cancelledWithinMs, undefined, { signal, ref: false }).catch(() => undefined);
  signal.throwIfAborted();
}
