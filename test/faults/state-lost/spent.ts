import { create, type DescMethod, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BrokerService, Refusal, TokenService } from "@sallyport/contracts";
import { Agent, type Endpoints, idTokenType, ProofMaker, useRequest } from "@sallyport/sdk";
import { rawCall } from "../../end-to-end/raw-call.ts";
import { orders, type Site } from "../site.ts";
import { told } from "../told.ts";

/** What is good once, was used, and is tried again. */
export interface Spent {
  readonly what: string;
  /** @returns the reason of the refusal, or `done` */
  again(): Promise<string>;
}

/** A proof of a use at the broker, used. @param path that the use has for itself */
export async function spentProof(site: Site, agent: Agent, path: string): Promise<Spent & { readonly path: string }> {
  const { session } = agent;
  const request = useRequest({ target: "orders-read", path });
  const { use } = BrokerService.method;
  return { ...(await spend("a proof at the broker", use, request, session.proofs, site.endpoints, session.credential.token)), path };
}

/** A token for single use: with the proof that it was used with, with a fresh one by the same key, and with another key. */
export async function spentToken(site: Site): Promise<Spent[]> {
  const subjectToken = await site.workloadToken();
  const key = ProofMaker.generate();
  const request = { subjectToken, subjectTokenType: idTokenType, agentName: "once", ceiling: orders };
  const withProof = await spend("a proof at authn", TokenService.method.exchange, request, key, {
    ...site.endpoints,
    broker: site.endpoints.authn,
  });
  const signIn = (by: ProofMaker) => () =>
    told(async () => {
      const agent = await Agent.signIn({ endpoints: site.endpoints, subjectToken, name: "once", ceiling: orders, key: by });
      agent.close();
    });
  return [
    withProof,
    { what: "a token for single use", again: signIn(key) },
    { what: "a token for single use, by another key", again: signIn(ProofMaker.generate()) },
  ];
}

/** A child, by the ticket that its parent got for it; and the ticket again. */
export async function enrolled(parent: Agent): Promise<{ child: Agent; byItsKey: Spent; byAnother: Spent }> {
  const key = ProofMaker.generate();
  const { handover } = await parent.delegate({ name: "child", thumbprint: key.thumbprint, ceiling: orders });
  const child = await Agent.fromTicket(handover, key);
  const redeem = (by: ProofMaker) => () =>
    told(async () => {
      const again = await Agent.fromTicket(handover, by);
      again.close();
    });
  return {
    child,
    byItsKey: { what: "a redeemed ticket", again: redeem(key) },
    byAnother: { what: "a redeemed ticket, by another key", again: redeem(ProofMaker.generate()) },
  };
}

/** Makes a proof, uses it, and keeps the bytes of that call. */
async function spend<M extends DescMethod>(
  what: string,
  method: M,
  request: MessageInitShape<M["input"]>,
  proofs: ProofMaker,
  endpoints: Endpoints,
  credential?: string,
): Promise<Spent> {
  const path = `/${method.parent.typeName}/${method.name}`;
  const bytes = toBinary(method.input, create(method.input, request as never));
  const peer = `spent at ${endpoints.broker}`;
  const prove = () => {
    const dpop = proofs.prove({ htu: endpoints.audience + path, request: bytes, credential, peer });
    return { dpop, ...(credential === undefined ? {} : { authorization: `DPoP ${credential}` }) };
  };
  const { nonce } = await rawCall(endpoints, path, bytes, prove());
  if (nonce !== undefined) proofs.remember(nonce, peer);
  const headers = prove();
  const first = await rawCall(endpoints, path, bytes, headers);
  if (first.reason === "STATE_UNAVAILABLE") throw new Refusal(first.reason, first.details);
  if (first.code !== 0) throw new Error(`${what} was not taken the first time: ${first.reason} ${first.details}`);
  return {
    what,
    again: async () => {
      const answer = await rawCall(endpoints, path, bytes, headers);
      return answer.code === 0 ? "done" : (answer.reason ?? `gRPC status ${answer.code}: ${answer.details}`);
    },
  };
}
