import { printable, Refusal } from "@sallyport/contracts";
import { unlisted } from "./state.ts";

const maxIdBytes = 1024;
const maxValueBytes = 1024 * 1024;

/** @throws Refusal INVALID_REQUEST unless `name` is `[a-z0-9-]{1,64}` */
export function checkName(name: string): void {
  if (!/^[a-z0-9-]{1,64}$/.test(name))
    throw invalid(`"${printable(name)}" cannot name a collection or a log: use 1 to 64 of a-z, 0-9 and "-".`);
}

/** @throws Refusal INVALID_REQUEST also for a collection that has no index of its ids */
export function checkListed(collection: string): void {
  checkName(collection);
  if (unlisted.has(collection)) throw invalid(`The collection "${collection}" is not listed: its entries are read by their ids.`);
}

/** @throws Refusal INVALID_REQUEST unless `id` is 1 to 1,024 bytes of well-formed text without NUL */
export function checkId(id: string): void {
  if (id === "" || Buffer.byteLength(id) > maxIdBytes || !id.isWellFormed() || id.includes("\0")) {
    throw invalid(`"${printable(id, 40)}" cannot be an id: it must be well-formed text of 1 to ${maxIdBytes} bytes.`);
  }
}

/** @throws Refusal TOO_LARGE above 1 MiB, INVALID_REQUEST for text that UTF-8 cannot hold */
export function checkValue(value: string): void {
  if (Buffer.byteLength(value) > maxValueBytes)
    throw new Refusal("TOO_LARGE", `A value in the shared state may have ${maxValueBytes} bytes at most.`);
  if (!value.isWellFormed() || value.includes("\0")) throw invalid("A value in the shared state must be well-formed text.");
}

export function checkTtl(ttlMs: number | undefined): void {
  if (ttlMs !== undefined && !(Number.isSafeInteger(ttlMs) && ttlMs >= 1))
    throw invalid("A time to live must be a whole number of milliseconds, 1 or more.");
}

export function checkLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > 1000) throw invalid("A limit must be a whole number from 1 to 1,000.");
}

export function checkMembers(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > 100_000)
    throw invalid("A limit of members must be a whole number from 1 to 100,000.");
}

export function checkWhole(number: number, what: string): void {
  if (!Number.isSafeInteger(number)) throw invalid(`${what} must be a whole number.`);
}

const invalid = (sentence: string) => new Refusal("INVALID_REQUEST", sentence);
