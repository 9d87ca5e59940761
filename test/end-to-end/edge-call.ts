import { setTimeout as sleep } from "node:timers/promises";
import { create, type DescMethod, toBinary } from "@bufbuild/protobuf";
import type { Session } from "@sallyport/sdk";

/** What the HTTP door answered. */
export interface EdgeAnswer {
  readonly status: number;
  readonly text: string;
  /** Where it refused. */
  readonly reason: string | undefined;
}

/** Calls an RPC as JSON over HTTP with a proof by hand, as no SDK of ours does. @param body the message's JSON, sent as it is */
export async function edgeCall(session: Session, edge: string, method: DescMethod, body: string): Promise<EdgeAnswer> {
  const path = `${method.parent.typeName}/${method.name}`;
  const peer = `edge ${edge}`;
  for (let tries = 0, nonces = 0; ; tries++) {
    const credential = session.credential.token;
    const dpop = session.proofs.prove({
      htu: `${session.endpoints.audience}/${path}`,
      request: Buffer.from(body),
      credential,
      peer,
    });
    const answer = await fetch(`http://${edge}/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `DPoP ${credential}`, dpop },
      body,
    });
    const nonce = answer.headers.get("dpop-nonce");
    if (nonce !== null) session.proofs.remember(nonce, peer);
    const text = await answer.text();
    const reason = /"reason"\s*:\s*"([A-Z_]+)"/.exec(text)?.[1] ?? /\b([A-Z]+_[A-Z_]+)\b/.exec(text)?.[1];
    if (reason === "PROOF_REQUIRED" && nonces++ < 2) continue;
    // A machine too busy to renew its lease in time: as its sentence says, again in a moment.
    if (reason === "STATE_UNAVAILABLE" && tries < 5) {
      await sleep(500);
      continue;
    }
    return { status: answer.status, text, reason: answer.ok ? undefined : reason };
  }
}

/** A message with a field that its contract does not know, as a client of another version or an attacker would send it. */
export function withUnknownField<T extends object>(schema: DescMethod["input"], init: T, number: number, text: string): T {
  const message = create(schema, init as never) as unknown as T & { $unknown?: unknown };
  message.$unknown = [{ no: number, wireType: 2, data: Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]) }];
  if (!Buffer.from(toBinary(schema, message as never)).includes(text)) throw new Error("the field is not in the message");
  return message;
}
