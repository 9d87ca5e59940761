import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { TLSSocket } from "node:tls";
import { Refusal } from "@sallyport/contracts";
import type { Host } from "@sallyport/service";
import { isSame, type Origin, parseAuthority } from "./authority.ts";
import { headersOf } from "./http1.ts";
import { refusalAnswer, refusalOf } from "./refusal-answer.ts";
import { once } from "./tool-headers.ts";
import type { ToolAnswer, ToolRequest } from "./tool-request.ts";
import { untilDrained } from "./until-drained.ts";

/** Milliseconds without a frame after which a session is ended. */
const idleMs = 5 * 60_000;

const settings = {
  settings: { maxConcurrentStreams: 128, maxHeaderListSize: 32 * 1024, enablePush: false, enableConnectProtocol: false },
  maxHeaderListPairs: 100,
  maxSettings: 32,
  maxOutstandingPings: 10,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  maxSessionMemory: 32,
};

/** Serves the streams of one HTTP/2 connection to one origin (RFC 9113). @param serve never throws */
export function serveHttp2(
  socket: TLSSocket,
  origin: Origin,
  serve: (request: ToolRequest, answer: ToolAnswer) => Promise<void>,
  log: Pick<Host["log"], "error">,
): ServerHttp2Session {
  const session = performServerHandshake(socket, settings);
  session.on("error", () => session.destroy());
  session.setTimeout(idleMs, () => session.close());
  session.on("stream", async (stream, headers, _flags, raw) => {
    stream.on("error", () => undefined);
    try {
      const answer = new Http2Answer(stream, headers[":method"] === "HEAD");
      let request: ToolRequest;
      try {
        request = requestOf(stream, headersOf(raw as unknown as string[]), origin);
      } catch (error) {
        return answer.refuse(refusalOf(error, log));
      }
      await serve(request, answer);
    } catch (error) {
      // Ends what it is about, and never the process.
      log.error({ err: error }, "a tool's stream failed and was ended");
      stream.destroy();
    }
  });
  return session;
}

/** Pseudo-headers are checked for form and number by nghttp2. @throws Refusal INVALID_REQUEST */
function requestOf(stream: ServerHttp2Stream, received: readonly [string, string][], origin: Origin): ToolRequest {
  const pseudo = (name: string) => once(received, name);
  const headers = received.filter(([name]) => !name.startsWith(":"));
  const [authority, host] = [pseudo(":authority"), once(headers, "host")];
  const meant = [authority, host].filter((text) => text !== undefined).map((text) => parseAuthority(text, origin.scheme));
  if (pseudo(":scheme") !== origin.scheme || meant.length === 0 || !meant.every((one) => one !== undefined && isSame(one, origin)))
    throw disagreement();
  const gone = new AbortController();
  stream.on("close", () => {
    if (!stream.writableFinished || stream.rstCode !== constants.NGHTTP2_NO_ERROR)
      gone.abort(new Refusal("CANCELLED", "The tool gave its request up."));
  });
  const length = once(headers, "content-length");
  return {
    method: pseudo(":method") ?? "",
    destination: { kind: "origin", origin },
    sent: pseudo(":path") ?? "",
    headers,
    hasBody: !stream.endAfterHeaders && length !== "0",
    declaredLength: length === undefined ? undefined : Number(length),
    body: stream,
    signal: gone.signal,
    wantBody: () => {
      if (headers.some(([name, value]) => name === "expect" && value.toLowerCase() === "100-continue") && !stream.headersSent)
        stream.additionalHeaders({ ":status": 100 });
    },
  };
}

export const disagreement = () =>
  new Refusal(
    "INVALID_REQUEST",
    "The request names another host than its connection does (CONNECT, TLS server name, Host and :authority must agree); open a connection to that host.",
    { metadata: { effect: "none" } },
  );

class Http2Answer implements ToolAnswer {
  readonly #stream: ServerHttp2Stream;
  readonly #headOnly: boolean;
  #trailers: readonly [string, string][] = [];

  constructor(stream: ServerHttp2Stream, headOnly: boolean) {
    this.#stream = stream;
    this.#headOnly = headOnly;
  }

  head(status: number, headers: readonly [string, string][]): void {
    if (this.#stream.destroyed) return;
    this.#stream.on("wantTrailers", () => this.#stream.sendTrailers(fieldsOf(this.#trailers)));
    const bodiless = this.#headOnly || status === 204 || status === 304;
    this.#stream.respond({ ":status": status, ...fieldsOf(headers) }, {
      waitForTrailers: !bodiless,
      endStream: bodiless,
      sendDate: false,
    } as never);
  }

  async data(bytes: Uint8Array): Promise<void> {
    if (this.#stream.destroyed || this.#stream.writableEnded || this.#stream.write(bytes)) return;
    await untilDrained(this.#stream);
  }

  end(trailers: readonly [string, string][]): void {
    this.#trailers = trailers;
    if (this.#stream.destroyed) return;
    this.#stream.end();
    this.#wantNoMore();
  }

  refuse(refusal: Refusal): void {
    if (this.#stream.destroyed) return;
    if (this.#stream.headersSent) return this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    const { status, headers, body } = refusalAnswer(refusal);
    this.#stream.respond({ ":status": status, ...Object.fromEntries(headers) }, { endStream: this.#headOnly });
    if (!this.#headOnly) this.#stream.end(body);
    this.#wantNoMore();
  }

  /** What is still to come of the request's body is wanted by nobody (RFC 9113 §8.1). */
  #wantNoMore(): void {
    if (!this.#stream.readableEnded && !this.#stream.endAfterHeaders) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

/** Repeated names as lists, as node:http2 wants them. */
function fieldsOf(headers: readonly [string, string][]): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {};
  for (const [name, value] of headers) fields[name] = Object.hasOwn(fields, name) ? [fields[name] as string, value].flat() : value;
  return fields;
}
