import { createHash } from "node:crypto";
import { type HttpOperation, Refusal } from "@sallyport/contracts";
import type { TargetConfig } from "../catalogue/catalogue.ts";
import { allows } from "./allow.ts";
import { parseHeaders } from "./headers.ts";
import { canonicalPath } from "./path.ts";

/** An HTTP request in the one form that is judged, approved, hashed and sent. */
export interface Operation {
  readonly target: string;
  readonly config: TargetConfig | undefined;
  readonly method: string;
  /** Canonical, below the base URL. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
  readonly headers: readonly [string, string][];
  /** Empty where the body comes as an upload. */
  readonly body: Uint8Array;
  /** SHA-256 of the body, hex. */
  readonly bodyHash: string;
  readonly upload?: { readonly size: number; readonly pieces: AsyncIterable<Uint8Array> };
  /** `POST /v1/refunds`: mask it before anyone reads it. */
  readonly summary: string;
  /** What the keyed hash in evidence is over: everything that is sent but the credential and an upload's body, which its hash stands for. */
  readonly exactBytes: Uint8Array;
}

/** The target's answer, not masked yet. Header names are lower case. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: readonly [string, string][];
  readonly body: AsyncIterable<Uint8Array>;
  /** Known once the body was read. */
  trailers(): readonly [string, string][];
  /** Gives the connection up. */
  discard(): void;
}

/**
 * @param config undefined for a target that does not exist: what is wrong with the request itself is said all the same, and
 * nothing more
 */
export function parseOperation(target: string, config: TargetConfig | undefined, operation: HttpOperation): Operation {
  const { method } = operation;
  if (!/^[A-Z]{1,16}$/.test(method) || method === "CONNECT" || method === "TRACE") {
    throw new Refusal(
      "INVALID_REQUEST",
      "The method is a word of upper-case letters, such as GET or POST; CONNECT and TRACE are never used.",
    );
  }
  const { path, query } = canonicalPath(operation.path);
  if (/(?:^\?|&)_method=/.test(query))
    throw new Refusal("INVALID_REQUEST", "The query asks for another method than the one that is judged.");
  const headers = parseHeaders(operation.headers);
  if ((method === "GET" || method === "HEAD") && operation.body.length > 0)
    throw new Refusal("INVALID_REQUEST", `A ${method} has no body; its end could be read as another request.`);
  const bodyHash = createHash("sha256").update(operation.body).digest("hex");
  const summary = `${method} ${path}${query}`;
  return {
    target,
    config,
    method,
    path,
    query,
    headers,
    body: operation.body,
    bodyHash,
    summary,
    exactBytes: Buffer.from(JSON.stringify([target, summary, headers, bodyHash])),
  };
}

/** Whether the target's configuration lists this call. */
export const isListed = (operation: Operation): boolean =>
  operation.config !== undefined && allows(operation.config.allow, operation.method, operation.path);
