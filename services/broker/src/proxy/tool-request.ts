import type { Refusal } from "@sallyport/contracts";
import type { WebSocket } from "ws";
import type { HeaderLines } from "../targets/header-lines.ts";
import type { Origin } from "./authority.ts";

/** One request of a tool's, whatever protocol it came by. */
export interface ToolRequest {
  readonly method: string;
  readonly destination: { readonly kind: "origin"; readonly origin: Origin } | { readonly kind: "reverse" };
  /** Path and query as they came. */
  readonly sent: string;
  /** As they came, in order; lower-case names. */
  readonly headers: HeaderLines;
  /** Whether the framing announces a body; an empty one is none. */
  readonly hasBody: boolean;
  /** Bytes, where the framing says so beforehand. */
  readonly declaredLength: number | undefined;
  /** In pieces, as fast as it is read. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Aborts when the tool is gone. */
  readonly signal: AbortSignal;
  /** Where it asks for a WebSocket. */
  readonly upgrade?: ToolUpgrade;
  /** Tells a tool that waits for it that its body is wanted (RFC 9110 §10.1.1). */
  wantBody(): void;
}

/** A WebSocket that a tool asks for. */
export interface ToolUpgrade {
  readonly protocols: readonly string[];
  /** Resolves with the tool's side once the answer's head was 101. */
  readonly accepted: Promise<WebSocket>;
}

/** Where the answer to a tool's request goes. */
export interface ToolAnswer {
  head(status: number, headers: readonly [string, string][]): void;
  /** Resolves when more can be taken. */
  data(bytes: Uint8Array): Promise<void>;
  end(trailers: readonly [string, string][]): void;
  /** The refusal as JSON; where the answer has begun, it is cut so that the tool cannot take it for whole. */
  refuse(refusal: Refusal): void;
}
