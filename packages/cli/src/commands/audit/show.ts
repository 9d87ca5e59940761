import { styleText } from "node:util";
import { printable } from "@sallyport/contracts";
import { type Event, eventOf } from "./event.ts";
import type { Logged } from "./logged.ts";

const colours = { Success: "green", Failure: "red", Unknown: "yellow", Pending: "dim" } as const;

/** A record on one line, for a person; nothing in it can drive the terminal. */
export function line({ index, text }: Logged): string {
  const event = eventOf(text);
  const { sallyport } = event.unmapped;
  const colour = colours[event.status as keyof typeof colours] ?? "reset";
  const status = `${event.status.toLowerCase()}${event.status_code === undefined ? "" : ` ${event.status_code}`}${event.count === undefined ? "" : ` ×${event.count}`}`;
  return [
    styleText("dim", String(index).padStart(6)),
    new Date(event.time).toISOString(),
    styleText("bold", printable(event.metadata.event_code).padEnd(18)),
    styleText(colour, printable(status).padEnd(22)),
    chainText(event),
    sallyport.secret === undefined
      ? ""
      : `${printable(sallyport.secret.name)}${sallyport.secret.version === undefined ? "" : `@${printable(sallyport.secret.version)}`}`,
    sallyport.target === undefined ? "" : `→ ${printable(sallyport.target.name)}`,
    approvedBy(event),
  ]
    .filter((part) => part !== "")
    .join(" ");
}

/** `corp/alice → deploy → migration`. */
const chainText = ({ unmapped }: Event): string =>
  (unmapped.delegation ?? []).map(({ id }, at) => printable(at === 0 ? id : (id.split(/[#/]/).at(-1) ?? id))).join(" → ");

const approvedBy = ({ unmapped }: Event): string => {
  const approvers = unmapped.sallyport.approvers ?? [];
  return approvers.length === 0 ? "" : `approved by ${approvers.map(({ id }) => printable(id)).join(", ")}`;
};

export const csvHeader = "index,time,uid,event,phase,status,reason,service,chain,secret,secret_version,target,policies,approvers,message";

/** A record as a line of CSV (RFC 4180), in which no cell is a formula for a spreadsheet. */
export function csvLine({ index, text }: Logged): string {
  const event = eventOf(text);
  const { sallyport, delegation = [] } = event.unmapped;
  return [
    String(index),
    new Date(event.time).toISOString(),
    event.metadata.uid,
    event.metadata.event_code,
    sallyport.phase,
    event.status,
    event.status_code ?? "",
    event.metadata.product.feature.name,
    delegation.map(({ id }) => id).join(" > "),
    sallyport.secret?.name ?? "",
    sallyport.secret?.version ?? "",
    sallyport.target?.name ?? "",
    (sallyport.policies?.determining ?? []).join(" "),
    (sallyport.approvers ?? []).map(({ id }) => id).join(" "),
    event.message ?? "",
  ]
    .map(cell)
    .join(",");
}

const cell = (text: string): string => {
  const safe = printable(text, 1000);
  return `"${(/^[=+\-@\t\r]/.test(safe) ? `'${safe}` : safe).replaceAll('"', '""')}"`;
};
