import { printable, Refusal } from "@sallyport/contracts";
import type { TargetConfig } from "../catalogue/catalogue.ts";
import { type HeaderLines, namedByConnection, ofTheConnection, valuesOf } from "../targets/header-lines.ts";
import { ownHeaders } from "../targets/inject/own-places.ts";

/** What the broker frames anew, and what a WebSocket's two sides agree on, each anew. */
const framedAnew = new Set([
  ...["host", "content-length", "expect"],
  ...["sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "sec-websocket-protocol", "sec-websocket-accept"],
]);

/**
 * What tools say by themselves and the broker decides: how an answer is packed, and that answers come whole, as pieces of one
 * cannot be masked (RFC 9110 §14.2 lets a server ignore a range). Trace context is read and written by the broker.
 */
const decidedHere = new Set(["accept-encoding", "range", "if-range", "traceparent", "tracestate", "baggage", "content-encoding"]);

/** Advice and chatter of package managers, of fetch in Node and of cloud SDKs; no target acts on them. */
const chatter = /^(?:npm|pacote|sec-fetch|amz-sdk)-|^(?:pragma|referer|dnt|priority|accept-charset|upgrade-insecure-requests)$/;

/** For the proxy itself. */
const toTheProxy = new Set(["sallyport-target", "sallyport-access-request"]);

export interface ToolHeaders {
  /** What is judged and sent, still as strictly as what agents send by `Use`. */
  readonly sent: { name: string; value: string }[];
  /** One value each. */
  readonly target: string | undefined;
  readonly accessRequest: string;
  /** Of the request's body, in the order in which they were applied. */
  readonly contentEncoding: string | undefined;
}

/**
 * A tool's headers, without those that were for the connection or the proxy. What its `Connection` header names goes too, before
 * anything is injected, so that nominating a header takes nothing away but the tool's own.
 *
 * @param upgrades whether it opens a WebSocket
 * @throws Refusal INVALID_REQUEST
 */
export function toolHeaders(received: HeaderLines, upgrades = false): ToolHeaders {
  const named = namedByConnection(received);
  if (!upgrades && valuesOf(received, "upgrade").some((value) => /websocket/i.test(value))) throw noWebSocket();
  return {
    sent: received
      .filter(
        ([name]) =>
          !ofTheConnection.has(name) &&
          !framedAnew.has(name) &&
          !decidedHere.has(name) &&
          !chatter.test(name) &&
          !toTheProxy.has(name) &&
          !named.has(name),
      )
      .map(([name, value]) => ({ name, value })),
    target: once(received, "sallyport-target"),
    accessRequest: once(received, "sallyport-access-request") ?? "",
    contentEncoding: once(received, "content-encoding"),
  };
}

/**
 * Without the headers that the target's configuration sets. Many tools do not start without a key to send there; theirs, whatever
 * it is, gives way.
 */
export function withoutInjected(headers: ToolHeaders["sent"], config: TargetConfig | undefined): ToolHeaders["sent"] {
  if (config?.inject === undefined) return headers;
  const injected = new Set(ownHeaders(config.inject).map(spelling));
  return headers.filter(({ name }) => !injected.has(spelling(name)));
}

/** Gateways make one name of `x_a` and `x-a`. */
const spelling = (name: string) => name.toLowerCase().replaceAll("_", "-");

/** @throws Refusal INVALID_REQUEST where it is there more than once */
export function once(headers: HeaderLines, name: string): string | undefined {
  const values = valuesOf(headers, name);
  if (values.length > 1)
    throw new Refusal("INVALID_REQUEST", `Header "${printable(name, 64)}" is there twice; which one counts cannot be known.`);
  return values[0];
}

const noWebSocket = () =>
  new Refusal("INVALID_REQUEST", "A WebSocket is opened by a GET of HTTP/1.1 that names nothing else in Upgrade (RFC 6455 §4.1).", {
    metadata: { effect: "none" },
  });
