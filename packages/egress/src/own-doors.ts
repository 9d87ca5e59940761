import { networkInterfaces } from "node:os";
import { type Address, parseAddress } from "./address-class.ts";

/** One of Sallyport's own listeners. */
export interface Door {
  /** As configured: an address, a name, or `0.0.0.0` or `::` for all of this machine's. */
  readonly host: string;
  readonly port: number;
}

/** Whether a connection would come back to Sallyport itself: a loop, or a way around the door that faces agents. */
export function isOwnDoor(doors: readonly Door[], host: string, address: Address, port: number): boolean {
  return doors.some((door) => door.port === port && (door.host.toLowerCase() === host || isAt(door.host, address)));
}

function isAt(doorHost: string, address: Address): boolean {
  const door = parseAddress(doorHost === "localhost" ? "127.0.0.1" : doorHost);
  if (door === undefined) return false;
  if (door.toString() === address.toString()) return true;
  return ["0.0.0.0", "::"].includes(door.toString()) && isThisMachine(address);
}

function isThisMachine(address: Address): boolean {
  if (address.range() === "loopback") return true;
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .some((one) => parseAddress(one.address.replace(/%.*$/, ""))?.toString() === address.toString());
}
