import type { Refusal } from "@sallyport/contracts";
import { apiActivity, type Draft, type Facts } from "@sallyport/evidence";
import type { EvidenceWriter } from "@sallyport/journal";
import type { Call, Caller } from "@sallyport/service";
import { addressOf, traceparentOf } from "../rpc/call-facts.ts";
import { callerFacts, type Ending } from "../use/records.ts";
import { hostAndPort, type Origin } from "./authority.ts";

/** A request that was turned away before it could be judged as a use. */
export const recordRefused = (evidence: EvidenceWriter, caller: Caller, call: Call, refusal: Refusal, destination?: Origin) =>
  evidence.refusal(
    apiActivity("other", {
      ...who(caller, call),
      event: "proxy.refuse",
      status: "failure",
      reason: refusal.reason,
      sentence: refusal.message,
      api: { operation: destination === undefined ? "request" : `CONNECT ${hostAndPort(destination)}` },
    }),
  );

/** Bytes that are passed on unread to a destination without a secret: its intent without an ending, its outcome with one. */
export const passRecord = (caller: Caller, call: Call, destination: Pick<Origin, "host" | "port">, ending?: Ending): Draft =>
  apiActivity("other", {
    ...who(caller, call),
    event: "proxy.pass",
    api: { operation: `CONNECT ${hostAndPort(destination)}` },
    target: { name: hostAndPort(destination), host: destination.host },
    ...ending,
  });

const who = (caller: Caller, call: Call): Pick<Facts, "chain" | "traceparent" | "peer"> =>
  callerFacts(caller, traceparentOf(call), addressOf(call));
