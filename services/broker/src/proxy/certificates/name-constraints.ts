import { isIPv4, isIPv6 } from "node:net";

/** RFC 5280 §4.2.1.10. */
export const nameConstraintsOid = "2.5.29.30";

/**
 * The value of a name constraints extension that leaves a CA nothing but these hosts (and, as a DNS constraint cannot say
 * less, the names below them). A kind of name without any host is shut off as a whole, for what no constraint speaks of is
 * free.
 *
 * @param hosts names in lower case, IPv4 addresses, IPv6 addresses without brackets
 */
export function nameConstraints(hosts: readonly string[]): Uint8Array {
  const addresses = hosts.filter((host) => isIPv4(host) || isIPv6(host));
  const names = hosts.filter((host) => !addresses.includes(host));
  const permitted = [
    // RFC 2606 §2: nobody has this name.
    ...(names.length === 0 ? ["nothing.invalid"] : names).map(dnsName),
    ...addresses.map((address) => ipRange(bytesOf(address), 0xff)),
  ];
  const excluded = [
    ...(addresses.some(isIPv4) ? [] : [ipRange(new Uint8Array(4), 0)]),
    ...(addresses.some(isIPv6) ? [] : [ipRange(new Uint8Array(16), 0)]),
  ];
  return tlv(0x30, tlv(0xa0, ...permitted), ...(excluded.length === 0 ? [] : [tlv(0xa1, ...excluded)]));
}

const subtree = (base: Uint8Array) => tlv(0x30, base);
const dnsName = (name: string) => subtree(tlv(0x82, Buffer.from(name, "ascii")));
const ipRange = (address: Uint8Array, mask: number) => subtree(tlv(0x87, address, new Uint8Array(address.length).fill(mask)));

function bytesOf(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split("."), Number);
  // The URL standard has written it in full already, but for the longest run of zeros.
  const [head = "", tail = ""] = address.split("::");
  const [before, after] = [head, tail].map((text) => (text === "" ? [] : text.split(":"))) as [string[], string[]];
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill("0"), ...after];
  return Uint8Array.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]));
}

/** DER: tag, length, contents (X.690 §8.1). */
function tlv(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents);
  const { length } = content;
  const bytes = [length >> 16, length >> 8, length].map((part) => part & 0xff);
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, ...bytes.slice(2)] : length < 0x10000 ? [0x82, ...bytes.slice(1)] : [0x83, ...bytes];
  return Buffer.concat([Uint8Array.from([tag, ...size]), content]);
}
