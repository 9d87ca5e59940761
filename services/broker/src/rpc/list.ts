import { Action, type BrokerService, printable, Refusal } from "@sallyport/contracts";
import type { EvidenceWriter } from "@sallyport/journal";
import type { Handler } from "@sallyport/service";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { judge } from "../use/ask.ts";
import type { Decisions } from "../use/decisions.ts";
import { secretRecord } from "../use/records.ts";
import { addressOf, traceparentOf } from "./call-facts.ts";
import type { CallerGate } from "./recording-gate.ts";

export const list =
  (gate: CallerGate, catalogue: Catalogue, decisions: Decisions, evidence: EvidenceWriter): Handler<typeof BrokerService.method.list> =>
  async (request, call) => {
    const caller = await gate.authenticate(call);
    if (request.pageSize > 1000) throw new Refusal("INVALID_REQUEST", "A page has at most 1000 secrets.");
    const limit = request.pageSize || 100;
    const names = catalogue.secretNames(request.prefix).filter((name) => name > request.pageToken);
    const secrets: { name: string; categories: string[] }[] = [];
    let nextPageToken = "";
    for (const name of names) {
      const ask = { caller, action: Action.LIST, secret: catalogue.secret(name), target: undefined, context: {} };
      if ((await judge(ask, decisions, {}, call.signal)).kind !== "allowed") continue;
      if (secrets.length === limit) {
        // Another page only where it has something to show: else it would tell that there are secrets which are kept from the caller.
        nextPageToken = secrets.at(-1)?.name ?? "";
        break;
      }
      secrets.push({ name, categories: [...(ask.secret.config?.categories ?? [])] });
    }
    const ask = {
      caller,
      action: Action.LIST,
      secret: { name: request.prefix === "" ? "*" : printable(request.prefix), config: undefined },
      target: undefined,
      context: {},
    };
    await evidence.record(
      secretRecord({ ask, traceparent: traceparentOf(call), peerAddress: addressOf(call) }, "sallyport", {
        status: "success",
        details: { listed: secrets.length },
      }),
    );
    return { secrets, nextPageToken };
  };
