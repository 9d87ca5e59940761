import { createHash } from "node:crypto";
import type { Operation } from "../../operation.ts";
import type { DerivedValue, Injected } from "../injected.ts";
import type { Minted } from "./minted.ts";
import type { MintedTokens } from "./minted-tokens.ts";

/** The request with a token that was fetched. */
export function withToken(operation: Operation, minted: Minted, scheme: "bearer" | "basic", tokens: MintedTokens, id: string): Injected {
  const { token, goodUntil, refreshToken } = minted;
  const pair = `x-access-token:${token}`;
  const authorization = scheme === "bearer" ? `Bearer ${token}` : `Basic ${Buffer.from(pair).toString("base64")}`;
  const lasting = (what: string, value: string): DerivedValue => ({ what, value: Buffer.from(value), goodUntil, once: false });
  return {
    sent: operation.sent,
    headers: [...operation.headers, ["authorization", authorization]],
    body: operation.body,
    derived: [
      lasting("access-token", token),
      ...(scheme === "basic" ? [lasting("basic", pair)] : []),
      ...(refreshToken === undefined ? [] : [lasting("refresh-token", refreshToken)]),
    ],
    answered: async (status) => {
      if (status === 401) await tokens.reject(id, minted);
    },
  };
}

/** A token is for one version of one secret, one target, and the settings it was asked for with. */
export const tokenId = (target: string, secret: string, version: string, settings: object): string =>
  createHash("sha256")
    .update(JSON.stringify([target, secret, version, settings]))
    .digest("base64url");
