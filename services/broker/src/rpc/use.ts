import type { BrokerService } from "@sallyport/contracts";
import type { Handler } from "@sallyport/service";
import type { Catalogue } from "../catalogue/catalogue.ts";
import type { UseParts } from "../use/parts.ts";
import type { UsePart } from "../use/relay.ts";
import { use as useSecret } from "../use/use.ts";
import { parseUse } from "./parse-use.ts";
import type { CallerGate } from "./recording-gate.ts";

export const use = (gate: CallerGate, catalogue: Catalogue, parts: UseParts): Handler<typeof BrokerService.method.use> =>
  async function* (request, call) {
    const caller = await gate.authenticate(call);
    for await (const part of useSecret(parseUse(request, caller, call, catalogue), parts, call.signal)) yield usePartToWire(part);
  };

export function usePartToWire(part: UsePart) {
  switch (part.kind) {
    case "head":
      return {
        part: { case: "head" as const, value: { status: part.status, headers: part.headers.map(toHeader), eventUid: part.eventUid } },
      };
    case "data":
      return { part: { case: "data" as const, value: part.bytes } };
    case "end":
      return { part: { case: "end" as const, value: { trailers: part.trailers.map(toHeader), maskedValues: BigInt(part.maskedValues) } } };
  }
}

const toHeader = ([name, value]: readonly [string, string]) => ({ name, value });
