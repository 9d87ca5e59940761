import { randomBytes } from "node:crypto";
import { Refusal } from "@sallyport/contracts";
import { isThumbprint, sha256 } from "@sallyport/identity";

/** Most seconds that a ticket can be redeemed. */
export const maxTicketSeconds = 60;

/** What stands in the state for a ticket, under the ticket's hash: the ticket itself is nowhere but in its holder's hands. */
export interface Ticket {
  /** The session that it is for. */
  readonly sid: string;
  /** The sessions above it. */
  readonly above?: readonly string[];
  /** RFC 7638 thumbprint of the only key that can redeem it; undefined where the first that does is the child's. */
  readonly childThumbprint?: string | undefined;
  /** Workload identities that the child must show beside its key, each of them. */
  readonly workloads: readonly string[];
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** The key that an order names, or undefined where it is to name none. Neither is read from the other's absence. @throws Refusal INVALID_REQUEST */
export function parseChildKey({ childThumbprint, unbound }: { childThumbprint: string; unbound: boolean }): string | undefined {
  if (unbound && childThumbprint !== "") throw new Refusal("INVALID_REQUEST", "A ticket names the child's key or is unbound, not both.");
  if (unbound) return undefined;
  if (isThumbprint(childThumbprint)) return childThumbprint;
  throw new Refusal("INVALID_REQUEST", "The child's thumbprint must be the RFC 7638 SHA-256 of its public key: 43 characters.");
}

/** 256 random bits, base64url. */
export const newTicketText = (): string => randomBytes(32).toString("base64url");

export const ticketHash = (text: string): string => sha256(text);

/** @param seconds as asked for; 0 means the most @throws Refusal INVALID_REQUEST */
export function parseTicketSeconds(seconds: number, configured: number): number {
  const most = Math.min(configured, maxTicketSeconds);
  if (seconds > most)
    throw new Refusal("INVALID_REQUEST", `A ticket lives ${most} seconds at most: ask for less, and hand it over at once.`);
  return seconds === 0 ? most : seconds;
}

/** The same answer for a ticket that never was, has run out, or belongs to another key. */
export const ticketInvalid = () =>
  new Refusal(
    "TICKET_INVALID",
    "This ticket is unknown, has run out, or is for another key: have the parent ask for a new one for your key.",
  );
