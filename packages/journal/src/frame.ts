import { crc32 } from "node:zlib";
import type { Entry } from "./entry.ts";

/**
 * An entry on disk: `SJ1\n`, length of the body (u32), CRC-32 of the body (u32), body. The body: sequence (u64), batch (u64),
 * flags (u8), length of the trace context (u8), trace context, [boot key 32], chain 32, [signature 64], record. Big-endian.
 * The checksum finds accidents; the chain and the signature find intent.
 */
const magic = 0x534a310a;
const headBytes = 12;
const flag = { signature: 1, bootKey: 2, intent: 4, outcome: 8 } as const;
const maxBodyBytes = 256 * 1024;

/** Bytes of a frame beyond its record, at most. */
export const frameOverhead = headBytes + 18 + 255 + 32 + 32 + 64;

export function encodeFrame(entry: Entry): Buffer {
  const trace = Buffer.from(entry.traceparent.slice(0, 255), "latin1");
  const length =
    18 + trace.length + (entry.bootKey === undefined ? 0 : 32) + 32 + (entry.signature === undefined ? 0 : 64) + entry.record.length;
  const frame = Buffer.allocUnsafe(headBytes + length);
  frame.writeUInt32BE(magic, 0);
  frame.writeUInt32BE(length, 4);
  frame.writeBigUInt64BE(entry.sequence, 12);
  frame.writeBigUInt64BE(entry.batch, 20);
  frame[28] =
    (entry.signature === undefined ? 0 : flag.signature) |
    (entry.bootKey === undefined ? 0 : flag.bootKey) |
    (entry.phase === "intent" ? flag.intent : entry.phase === "outcome" ? flag.outcome : 0);
  frame[29] = trace.length;
  let at = 30;
  for (const part of [trace, entry.bootKey, entry.chain, entry.signature, entry.record]) {
    if (part === undefined) continue;
    frame.set(part, at);
    at += part.length;
  }
  frame.writeUInt32BE(crc32(frame.subarray(headBytes)), 8);
  return frame;
}

/** The frame at that offset and where the next one starts; undefined where there is no whole, sound frame. */
export function decodeFrame(bytes: Buffer, offset: number): { entry: Entry; next: number } | undefined {
  if (offset + headBytes > bytes.length || bytes.readUInt32BE(offset) !== magic) return undefined;
  const length = bytes.readUInt32BE(offset + 4);
  const next = offset + headBytes + length;
  if (length < 50 || length > maxBodyBytes || next > bytes.length) return undefined;
  const body = bytes.subarray(offset + headBytes, next);
  if (crc32(body) !== bytes.readUInt32BE(offset + 8)) return undefined;
  const flags = body[16] as number;
  let at = 18;
  const take = (count: number): Buffer => {
    at += count;
    return body.subarray(at - count, at);
  };
  const traceparent = take(body[17] as number).toString("latin1");
  const bootKey = flags & flag.bootKey ? take(32) : undefined;
  const chain = take(32);
  const signature = flags & flag.signature ? take(64) : undefined;
  if (at > body.length) return undefined;
  return {
    entry: {
      sequence: body.readBigUInt64BE(0),
      batch: body.readBigUInt64BE(8),
      traceparent,
      bootKey,
      chain,
      signature,
      record: body.subarray(at),
      phase: flags & flag.intent ? "intent" : flags & flag.outcome ? "outcome" : "event",
    },
    next,
  };
}

/** The next sound frame at or after the offset, wherever it starts. */
export function findFrame(bytes: Buffer, offset: number): Entry | undefined {
  const mark = Buffer.from("SJ1\n", "latin1");
  for (let at = bytes.indexOf(mark, offset); at >= 0; at = bytes.indexOf(mark, at + 1)) {
    const found = decodeFrame(bytes, at);
    if (found !== undefined) return found.entry;
  }
  return undefined;
}
