import { MORE, NONE, type Text, table } from "./text.ts";
import { runEnd } from "./token-matcher.ts";

const base64 = table(/^[A-Za-z0-9+/]$/);
const azure = table(/^[A-Za-z0-9_~.-]$/);
/** So far back AWS or an access key must be named, in bytes. */
const nearBytes = 60;

/** An AWS secret access key: 40 characters that nothing marks, so a word before it must. */
export function awsSecretEnd(text: Text, at: number): number {
  const { bytes, end, final } = text;
  if (base64[bytes[at - 1]!] === 1) return NONE;
  const stop = runEnd(text, at, base64, 41);
  if (stop >= end && stop - at <= 40 && !final) return MORE;
  if (stop - at !== 40 || bytes[stop] === 61) return NONE;
  const secret = bytes.toString("latin1", at, stop);
  if (!/[A-Z]/.test(secret) || !/[a-z]/.test(secret) || !/\d/.test(secret)) return NONE;
  const before = bytes.toString("latin1", Math.max(0, at - nearBytes), at).toLowerCase();
  return /aws.{0,30}secret|secret.?access.?key|secret.?key/s.test(before) ? stop : NONE;
}

/** A client secret of Microsoft Entra ID: three characters, a digit, `Q~`, and 31 to 34 more. */
export function azureSecretEnd(text: Text, at: number, wordEnd: number): number {
  const { bytes, end, final } = text;
  if (wordEnd - at !== 5 || bytes[at + 4] !== 81 || bytes[at + 3]! < 48 || bytes[at + 3]! > 57) return NONE;
  let stop = runEnd(text, wordEnd + 1, azure, 36);
  if (stop >= end && stop - wordEnd <= 36 && !final) return MORE;
  // A sentence's end.
  if (bytes[stop - 1] === 46) stop--;
  const length = stop - wordEnd - 1;
  return length >= 31 && length <= 34 ? stop : NONE;
}
