import { randomFillSync } from "node:crypto";

const pool = Buffer.alloc(4096);
let used = pool.length;

/** A UUID that sorts by time (RFC 9562 §5.7, version 7). @param time epoch milliseconds */
export function newUid(time: number): string {
  if (used + 10 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + 10);
  used += 10;
  const hex = random.toString("hex");
  const stamp = Math.max(0, Math.floor(time)).toString(16).padStart(12, "0").slice(-12);
  const variant = (0x8 | ((random[2] as number) & 0x3)).toString(16);
  return `${stamp.slice(0, 8)}-${stamp.slice(8)}-7${hex.slice(0, 3)}-${variant}${hex.slice(5, 8)}-${hex.slice(8, 20)}`;
}
