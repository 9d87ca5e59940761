import { refusals } from "./refusals.ts";

/** For stores that keep text: bytes that are none would not come back as they were. @throws Refusal INVALID_REQUEST */
export function utf8Text(field: string, value: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    throw refusals.notText(field);
  }
}
