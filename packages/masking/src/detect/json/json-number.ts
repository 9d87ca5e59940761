/** Whether the bytes from `from` to `to` are a number (RFC 8259 §6): other text begins with a digit or a hyphen too (`-----BEGIN`). */
export function isJsonNumber(bytes: Uint8Array, from: number, to: number): boolean {
  const whole = bytes[from] === 45 ? from + 1 : from;
  let at = digitsEnd(bytes, whole, to);
  if (at === whole || (bytes[whole] === 48 && at > whole + 1)) return false;
  if (at < to && bytes[at] === 46) {
    const fraction = at + 1;
    at = digitsEnd(bytes, fraction, to);
    if (at === fraction) return false;
  }
  if (at < to && (bytes[at] === 101 || bytes[at] === 69)) {
    const exponent = bytes[at + 1] === 43 || bytes[at + 1] === 45 ? at + 2 : at + 1;
    at = digitsEnd(bytes, exponent, to);
    if (at === exponent) return false;
  }
  return at === to;
}

function digitsEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at]! >= 48 && bytes[at]! <= 57) at++;
  return at;
}
