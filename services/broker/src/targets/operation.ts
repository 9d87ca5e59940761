import { createHash } from "node:crypto";
import { type HttpOperation, type Reason, Refusal } from "@sallyport/contracts";
import type { WebSocket } from "ws";
import type { TargetConfig } from "../catalogue/catalogue.ts";
import { allows } from "./allow.ts";
import { againstRules } from "./guardrails.ts";
import { parseHeaders } from "./headers.ts";
import { takesPlace } from "./inject/own-places.ts";
import { OverrideSearch, overridden, overridesInQuery } from "./method-override.ts";
import { canonicalPath } from "./path.ts";
import { misplaced } from "./placeholders/misplaced.ts";

/** An HTTP request in the one form that is judged, approved, hashed and sent. */
export interface Operation {
  readonly target: string;
  readonly config: TargetConfig | undefined;
  readonly method: string;
  /** For policies and templates: canonical, below the base URL, percent-encodings in upper case. */
  readonly path: string;
  /** As sent, with its `?`, or empty. */
  readonly query: string;
  /** Path and query as they are sent. */
  readonly sent: string;
  readonly headers: readonly [string, string][];
  /** Empty where the body comes as an upload. */
  readonly body: Uint8Array;
  /** SHA-256 of the body, hex; empty where it is an upload whose hash is not known beforehand. */
  readonly bodyHash: string;
  readonly upload?: Upload;
  /** Where the request opens a WebSocket: its method is then `WEBSOCKET`, for policies, allow lists, reviews and records. */
  readonly webSocket?: WebSocketEnds;
  /** `POST /v1/refunds`: mask it before anyone reads it. */
  readonly summary: string;
  /** What the keyed hash in evidence is over: everything that is sent but the credential; the body by its hash. */
  readonly exactBytes: Uint8Array;
}

/** A body in pieces, whose size and hash, where they are known, are checked by whoever yields them, before the last byte. */
export interface Upload {
  /** Undefined where the sender does not say beforehand: then whoever yields the pieces keeps them in the target's bound. */
  readonly size: number | undefined;
  /** Hex. Undefined where only its end would tell: nobody can approve such a body. */
  readonly sha256: string | undefined;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** The tool's side of a WebSocket. */
export interface WebSocketEnds {
  /** Subprotocols that the tool speaks, by preference (RFC 6455 §1.9). */
  readonly protocols: readonly string[];
  /** Resolves once the tool was told that the target has opened. */
  readonly accepted: Promise<WebSocket>;
}

/** What opening a WebSocket is called: an action of its own, which a listed `GET` never allows. */
export const webSocketMethod = "WEBSOCKET";

/** The target's answer, not masked yet. Header names are lower case; those of the connection are gone. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: readonly [string, string][];
  readonly body: AsyncIterable<Uint8Array>;
  /** Known once the body was read. */
  trailers(): readonly [string, string][];
  /** Gives the connection up. */
  discard(): void;
  /** The target's side of a WebSocket that it opened, paused; there is no body then. */
  readonly webSocket?: WebSocket;
}

/**
 * @param config undefined for a target that does not exist: what is wrong with the request itself is said all the same, and
 * nothing more
 * @throws Refusal INVALID_REQUEST
 */
export function parseOperation(
  target: string,
  config: TargetConfig | undefined,
  operation: Pick<HttpOperation, "method" | "path" | "headers" | "body">,
): Operation {
  const { method, body } = operation;
  if (!/^[A-Z]{1,16}$/.test(method) || method === "CONNECT" || method === "TRACE") {
    throw new Refusal(
      "INVALID_REQUEST",
      "The method is a word of upper-case letters, such as GET or POST; CONNECT and TRACE are never used.",
    );
  }
  if (method === webSocketMethod)
    throw new Refusal("INVALID_REQUEST", "A WebSocket is opened by a tool through the proxy or the reverse path, by an upgrade of a GET.");
  const { path, query, sent } = canonicalPath(operation.path);
  if (overridesInQuery(query)) throw overridden("query");
  const headers = parseHeaders(operation.headers);
  if (body.length > 0) refuseBodyOf(method);
  new OverrideSearch(contentTypeOf(headers)).look(body);
  const bodyHash = createHash("sha256").update(body).digest("hex");
  return withExactBytes({ target, config, method, path, query, sent, headers, body, bodyHash, summary: `${method} ${sent}` });
}

/** The operation with a body that follows in pieces. @throws Refusal INVALID_REQUEST where it can have none, or has one already */
export function withUpload(operation: Operation, upload: Upload): Operation {
  if (operation.body.length > 0) throw new Refusal("INVALID_REQUEST", "An upload's head has an empty body; the body follows in pieces.");
  refuseBodyOf(operation.method);
  return withExactBytes({
    ...operation,
    bodyHash: upload.sha256 ?? "",
    upload: { ...upload, pieces: searched(upload.pieces, contentTypeOf(operation.headers)) },
  });
}

/** The operation as one that opens a WebSocket. @throws Refusal INVALID_REQUEST where it can open none */
export function withWebSocket(operation: Operation, webSocket: WebSocketEnds): Operation {
  const { method, headers, sent, body, upload } = operation;
  if (method !== "GET" || body.length > 0 || upload !== undefined)
    throw new Refusal("INVALID_REQUEST", "A WebSocket is opened by a GET without a body (RFC 6455 §4.1).");
  const { protocols } = webSocket;
  const named: [string, string][] = protocols.length === 0 ? [] : [[protocolHeader, protocols.join(", ")]];
  return withExactBytes({
    ...operation,
    method: webSocketMethod,
    headers: [...headers, ...named],
    summary: `${webSocketMethod} ${sent}`,
    webSocket,
  });
}

export const protocolHeader = "sec-websocket-protocol";

/** What keeps the operation from its target, for those whom policy allows it: said to nobody else, as it tells of the configuration. */
export function unfit(operation: Operation): Refusal | undefined {
  const { config, target, method } = operation;
  const because = (reason: Reason, sentence: string) => new Refusal(reason, sentence, { metadata: { effect: "none" } });
  if (!isListed(operation) || config === undefined) {
    return because(
      "DESTINATION_NOT_ALLOWED",
      `Target "${target}" is not configured for ${method} on this path; ask the operator to add it to the target's allow list.`,
    );
  }
  const size = operation.upload === undefined ? operation.body.length : (operation.upload.size ?? 0);
  if (size > config.maxBodyBytes)
    return because("TOO_LARGE", `Target "${target}" takes bodies of at most ${config.maxBodyBytes} bytes; this one has ${size}.`);
  const taken = config.inject === undefined ? undefined : takesPlace(operation, config.inject);
  if (taken !== undefined) return because("INVALID_REQUEST", `Target "${target}" ${taken}.`);
  return misplaced(operation) ?? againstRules(operation);
}

/** Whether the target's configuration lists this call. */
export const isListed = (operation: Operation): boolean =>
  operation.config !== undefined && allows(operation.config.allow, operation.method, operation.path);

/** A body there is read as the next request by some (RFC 9110 §9.3.1). */
function refuseBodyOf(method: string): void {
  if (method === "GET" || method === "HEAD")
    throw new Refusal("INVALID_REQUEST", `A ${method} has no body; its end could be read as another request.`);
}

export const contentTypeOf = (headers: readonly [string, string][]) => headers.find(([name]) => name === "content-type")?.[1];

async function* searched(pieces: AsyncIterable<Uint8Array>, contentType: string | undefined): AsyncIterable<Uint8Array> {
  const search = new OverrideSearch(contentType);
  for await (const piece of pieces) {
    search.look(piece);
    yield piece;
  }
}

/** What is sent, with a body of that hash (SHA-256, hex). */
export const exactBytesOf = ({ target, summary, headers }: Omit<Operation, "exactBytes">, bodyHash: string): Uint8Array =>
  Buffer.from(JSON.stringify([target, summary, headers, bodyHash]));

const withExactBytes = (operation: Omit<Operation, "exactBytes">): Operation => ({
  ...operation,
  exactBytes: exactBytesOf(operation, operation.bodyHash),
});
