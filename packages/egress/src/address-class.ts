import ipaddr from "ipaddr.js";

/** An address as it is judged and dialled: zone-free, and IPv4 wherever IPv6 only wraps it (RFC 4291 §2.5.5.2). */
export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A range of addresses, from CIDR text. */
export type Range = readonly [Address, number];

/**
 * What an address is, for judging where a connection may go:
 * - `public`: globally reachable by IANA's special-purpose registries;
 * - `listed`: somebody's own network, reached only where configuration lists it;
 * - `never`: link-local and metadata services, multicast, "this host", and forms that hide another address.
 */
export interface AddressClass {
  readonly kind: "public" | "listed" | "never";
  /** For a sentence: `a private address`. */
  readonly what: string;
}

const table = (kind: AddressClass["kind"], rows: Record<string, string[]>) =>
  Object.entries(rows).flatMap(([what, ranges]) => ranges.map((range) => ({ range: parseRange(range), found: { kind, what } })));

/** Looked at in order; the first that matches decides. */
const classes = [
  ...table("never", {
    "a cloud's metadata service": ["100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::254/128", "fd20:ce::254/128"],
    "a link-local address, where metadata services are": ["169.254.0.0/16", "fe80::/10", "fec0::/10"],
    "an address of no host": ["0.0.0.0/8", "::/128"],
    "a multicast or broadcast address": ["224.0.0.0/4", "ff00::/8", "255.255.255.255/32"],
    "a reserved address": ["240.0.0.0/4"],
  }),
  ...table("listed", { "a loopback address": ["127.0.0.0/8", "::1/128"] }),
  // IPv4 in IPv6 disguise (RFC 4291 §2.5.5.1, RFC 3056, RFC 4380, RFC 7915, RFC 8215): what it leads to cannot be judged.
  ...table("never", { "an address that wraps another": ["::/96", "2002::/16", "2001::/32", "::ffff:0:0:0/96", "64:ff9b:1::/48"] }),
  ...table("listed", {
    "a private address": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
    "a carrier's shared address": ["100.64.0.0/10"],
    "an address kept for special purposes": [
      ...["192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"],
      ...["2001::/23", "2001:db8::/32", "3fff::/20"],
    ],
  }),
  ...table("public", { "a public address": ["0.0.0.0/0", "2000::/3", "64:ff9b::/96"] }),
  ...table("listed", { "an address kept for special purposes": ["::/0"] }),
];

/** What the address itself is; what it may carry inside is judged apart ({@link embeddedIn}). */
export const classOf = (address: Address): AddressClass =>
  classes.find(({ range }) => contains(range, address))?.found ?? { kind: "never", what: "an unknown kind of address" };

/** The IPv4 address that a translator would unpack: NAT64 (RFC 6052 §2.1) and ISATAP (RFC 5214 §6.1). */
export function embeddedIn(address: Address): ipaddr.IPv4 | undefined {
  if (address instanceof ipaddr.IPv4) return undefined;
  const { parts } = address;
  const nat64 = contains(parseRange("64:ff9b::/96"), address);
  const isatap = (parts[4] === 0 || parts[4] === 0x200) && parts[5] === 0x5efe;
  return nat64 || isatap ? new ipaddr.IPv4(address.toByteArray().slice(-4)) : undefined;
}

export const contains = ([base, bits]: Range, address: Address): boolean => base.kind() === address.kind() && address.match(base, bits);

/** @throws Error where the text is no range, such as 10.0.0.0/8 */
export function parseRange(text: string): Range {
  const [base, bits] = ipaddr.parseCIDR(text);
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8, as the addresses it is compared with are unwrapped.
  if (base instanceof ipaddr.IPv6 && base.isIPv4MappedAddress() && bits >= 96) return [base.toIPv4Address(), bits - 96];
  return [base, bits];
}

/** A literal address in canonical form; undefined where it has a zone or is no address. */
export function parseAddress(text: string): Address | undefined {
  if (text.includes("%") || !(ipaddr.IPv6.isValid(text) || ipaddr.IPv4.isValidFourPartDecimal(text))) return undefined;
  const address = ipaddr.parse(text);
  // ipaddr.js also calls ::a.b.c.d mapped; only ::ffff:0:0/96 is (RFC 4291 §2.5.5.2).
  const mapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && address.parts[5] === 0xffff;
  return mapped ? address.toIPv4Address() : address;
}
