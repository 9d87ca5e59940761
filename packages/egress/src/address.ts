import ipaddr from "ipaddr.js";

/** Why an address may not be dialled unless it is listed, or undefined for an ordinary public one. */
export type Restricted = "loopback" | "private" | "link-local" | "reserved";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * The address that will really be reached: an IPv4 address however an IPv6 one carries it (IPv4-mapped and -compatible,
 * RFC 4291 §2.5.5; NAT64, RFC 6052; 6to4, RFC 3056). @throws Error for a zone id or anything that is no address
 */
export function canonicalAddress(text: string): Address {
  if (text.includes("%")) throw new Error("an address with a zone id");
  const address = ipaddr.parse(text);
  if (address.kind() === "ipv4") return address;
  const six = address as ipaddr.IPv6;
  if (six.isIPv4MappedAddress()) return six.toIPv4Address();
  const parts = six.parts;
  const tail = (at: number) => ipaddr.fromByteArray([parts[at]! >> 8, parts[at]! & 255, parts[at + 1]! >> 8, parts[at + 1]! & 255]);
  if (parts[0] === 0x64 && parts[1] === 0xff9b) return tail(6);
  if (parts[0] === 0x2002) return tail(1);
  if (parts.slice(0, 6).every((part) => part === 0) && (parts[6] !== 0 || parts[7]! > 1)) return tail(6);
  return six;
}

export function restricted(address: Address): Restricted | undefined {
  switch (address.range()) {
    case "unicast":
      return undefined;
    case "loopback":
      return "loopback";
    case "private":
    case "uniqueLocal":
    case "carrierGradeNat":
      return "private";
    case "linkLocal":
      return "link-local";
    default:
      return "reserved";
  }
}

/** Ranges in CIDR form that an operator listed. */
export class AllowedRanges {
  readonly #ranges: [Address, number][];

  /** @throws Error for a range that is none */
  constructor(cidrs: readonly string[]) {
    this.#ranges = cidrs.map((cidr) => ipaddr.parseCIDR(cidr.includes("/") ? cidr : `${cidr}/${cidr.includes(":") ? 128 : 32}`));
  }

  includes(address: Address): boolean {
    return this.#ranges.some(([range, bits]) => range.kind() === address.kind() && address.match([range, bits] as never));
  }
}
