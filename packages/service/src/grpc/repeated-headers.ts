import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Server } from "@grpc/grpc-js";

/** Set on a request, by us, to the name that it had more than once. A caller who sets it is refused likewise. */
export const repeatedHeader = "sallyport-repeated-header";

/**
 * Node joins a header that came twice, or drops all but the first (`authorization`), before grpc-js sees it. Only the
 * HTTP/2 server's own event still has them all, so that is where the request is marked.
 *
 * @throws Error where this grpc-js keeps its HTTP/2 servers elsewhere: then the check would be silently gone
 */
export function markRepeatedHeaders(server: Server): void {
  const servers = (server as unknown as { http2Servers?: Map<Http2Server, unknown> }).http2Servers;
  if (servers === undefined || servers.size === 0)
    throw new Error("this version of grpc-js hides its HTTP/2 servers; repeated headers would pass");
  for (const http2 of servers.keys()) {
    http2.prependListener(
      "stream",
      (_stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: readonly string[] = []) => {
        const repeated = firstRepeated(raw);
        if (repeated !== undefined) headers[repeatedHeader] = repeated;
      },
    );
  }
}

function firstRepeated(raw: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}
