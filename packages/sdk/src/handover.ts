import { Refusal } from "@sallyport/contracts";
import { type Endpoints, parseEndpoints } from "./endpoints.ts";

/** What a parent hands to a child on its standard input: one line. Only the child's key can redeem the ticket in it. */
export interface Handover extends Endpoints {
  readonly ticket: string;
}

const prefix = "sallyport-ticket:";

/** The line itself, without a line break. */
export const writeHandover = (handover: Handover): string => prefix + Buffer.from(JSON.stringify(handover)).toString("base64url");

/** @throws Refusal TICKET_INVALID */
export function readHandover(line: string): Handover {
  const parts = partsOf(line.trim());
  const endpoints = parseEndpoints(parts);
  if (endpoints === undefined || typeof parts?.ticket !== "string" || parts.ticket === "") {
    throw new Refusal("TICKET_INVALID", `This is no enrolment ticket; the parent agent hands over one line that begins with ${prefix}`);
  }
  return { ticket: parts.ticket, ...endpoints };
}

function partsOf(text: string): { ticket?: unknown } | undefined {
  if (!text.startsWith(prefix)) return undefined;
  try {
    return JSON.parse(Buffer.from(text.slice(prefix.length), "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
