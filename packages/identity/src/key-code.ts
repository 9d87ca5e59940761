/** Without the letters that are taken for others (Crockford's base 32). */
const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/**
 * A key as a person compares it, on two screens at the same time: eight letters, `4F7K-Q2MX`, the first 40 bits of its thumbprint. As the
 * user code of a device sign-in (RFC 8628 §6.1) it names nothing for longer than a sign-in takes.
 * @param thumbprint RFC 7638, base64url
 */
export function keyCode(thumbprint: string): string {
  const bits = Buffer.from(thumbprint, "base64url").readUIntBE(0, 5);
  const code = Array.from({ length: 8 }, (_, index) => letters[Math.floor(bits / 32 ** (7 - index)) % 32]).join("");
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}
