import type { Transform } from "node:stream";
import zlib from "node:zlib";

/** Packed content that begins somewhere in bytes. */
export interface Packed {
  /** Where its magic number stands. */
  readonly at: number;
  /** Bytes from there to what is to be unpacked. */
  readonly header: number;
  /** `undefined` where it is packed or encrypted in a way that is not read here. */
  readonly open: (() => Transform) | undefined;
  /** So many bytes may have to come together before any of them is unpacked. */
  readonly lagBytes: number;
  /** False near the end of the bytes, where it cannot be told yet. */
  readonly isTold: boolean;
}

/** Bytes of the longest magic number that is looked for anywhere. */
export const MAGIC_BYTES = 4;
const ZIP_HEADER_BYTES = 30;
/** A gzip header with a longer name and comment is not read. */
const MAX_HEADER_BYTES = 70_000;
/** RFC 8878 §3.1.1.2.4: a block unpacks to so much at most, and is no larger packed. */
const ZSTD_BLOCK_BYTES = 128 * 1024 + 64;

const GZIP = Buffer.from([0x1f, 0x8b, 0x08]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const ZIP = Buffer.from([0x50, 0x4b, 0x03, 0x04]);
/** Files that are packed or encrypted in a way that is not read here, where they begin a body: xz, bzip2, 7-Zip, RAR, LZ4, compress, age. */
const sealed: readonly Buffer[] = [
  Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
  Buffer.from([0x42, 0x5a, 0x68, 0x39, 0x31, 0x41]),
  Buffer.from([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]),
  Buffer.from([0x52, 0x61, 0x72, 0x21, 0x1a, 0x07]),
  Buffer.from([0x04, 0x22, 0x4d, 0x18]),
  Buffer.from([0x1f, 0x9d, 0x90]),
  Buffer.from("age-encryption.org/"),
];

export const isSealed = (begin: Buffer): boolean => sealed.some((magic) => begin.subarray(0, magic.length).equals(magic));

/** Whether more bytes may make `begin` the beginning of such a file. */
export const mayBeSealed = (begin: Buffer): boolean =>
  sealed.some((magic) => begin.length < magic.length && magic.subarray(0, begin.length).equals(begin));

/** The next packed content in `bytes` from `from` on. */
export function nextPacked(bytes: Buffer, from: number): Packed | undefined {
  let first: Packed | undefined;
  for (const [magic, read] of kinds) {
    for (let at = bytes.indexOf(magic, from); at >= 0 && at < (first?.at ?? Number.POSITIVE_INFINITY); at = bytes.indexOf(magic, at + 1)) {
      const packed = read(bytes, at);
      if (packed === undefined) continue;
      first = packed;
      break;
    }
  }
  return first;
}

const untold = (at: number): Packed => ({ at, header: 0, open: undefined, lagBytes: 0, isTold: false });
const told = (at: number, header: number, open: (() => Transform) | undefined, lagBytes = 0): Packed => ({
  at,
  header,
  open,
  lagBytes,
  isTold: true,
});

/** RFC 1952 §2.3. What follows a member is not its affair, so it is inflated without what stands around it. */
const gzip = (bytes: Buffer, at: number): Packed | undefined => {
  const flags = bytes[at + 3];
  if (flags === undefined) return untold(at);
  // The three high flags are reserved.
  if ((flags & 0xe0) !== 0) return undefined;
  let end = at + 10;
  if ((flags & 4) !== 0) end = end + 2 > bytes.length ? Number.NaN : end + 2 + bytes.readUInt16LE(end);
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0 || Number.isNaN(end)) continue;
    const zero = bytes.indexOf(0, end);
    end = zero < 0 ? Number.NaN : zero + 1;
  }
  if ((flags & 2) !== 0) end += 2;
  if (end <= bytes.length) return told(at, end - at, () => zlib.createInflateRaw());
  return bytes.length - at > MAX_HEADER_BYTES ? told(at, 0, undefined) : untold(at);
};

const zstd = (_: Buffer, at: number): Packed => told(at, 0, () => zlib.createZstdDecompress(), ZSTD_BLOCK_BYTES);

/** APPNOTE 6.3 §4.3.7. What is stored only (method 0) is read where it stands. */
const zip = (bytes: Buffer, at: number): Packed | undefined => {
  if (at + ZIP_HEADER_BYTES > bytes.length) return untold(at);
  const [flags, method] = [bytes.readUInt16LE(at + 6), bytes.readUInt16LE(at + 8)];
  const encrypted = (flags & 1) === 1;
  if (method === 0 && !encrypted) return undefined;
  const header = ZIP_HEADER_BYTES + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
  return told(at, header, method === 8 && !encrypted ? () => zlib.createInflateRaw() : undefined);
};

const kinds: readonly [Buffer, (bytes: Buffer, at: number) => Packed | undefined][] = [
  [GZIP, gzip],
  [ZSTD, zstd],
  [ZIP, zip],
];
