export {
  AccessState,
  Action,
  type Ceiling,
  type Reason,
  Refusal,
  type Review,
  reasons,
  type SecretDescription,
} from "@sallyport/contracts";
export { ProofMaker } from "@sallyport/identity/proof-maker";
export { Agent, type BindingOption, type WorkloadOption } from "./agent.ts";
export type { CeilingInit } from "./ceiling.ts";
export { type ClientIdentity, openChannel } from "./channel.ts";
export { type Delegation, delegate, type HandedOver, type TicketFor } from "./delegate.ts";
export { type Endpoints, parseEndpoints } from "./endpoints.ts";
export type { SpawnOptions } from "./enrolment.ts";
export { type ExchangeOptions, exchangeIdToken, idTokenType, samlCodeType } from "./exchange-id-token.ts";
export { type Handover, readHandover, writeHandover } from "./handover.ts";
export { Person } from "./person.ts";
export type { Revealed } from "./reveal.ts";
export { type BindingKind, Session } from "./session.ts";
export { type UseOperation, type UseOptions, type UseResult, useRequest, useSecret } from "./use.ts";
export { waitForAccess } from "./wait-for-access.ts";
