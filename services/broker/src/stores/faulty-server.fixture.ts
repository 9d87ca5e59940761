import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** A certificate for a host, and its key: PEM. */
export interface Certified {
  readonly host: string;
  readonly cert: string;
  readonly key: string;
}

export type Fault = (request: IncomingMessage, answer: ServerResponse, elsewhere: string) => void;

/** What servers have been seen to do; each would leak or hang where an adapter trusts it. */
export const faults: Readonly<Record<string, Fault>> = {
  "answers 401": (_, answer) => answer.writeHead(401).end('{"message":"canary-4711"}'),
  "answers 403": (_, answer) => answer.writeHead(403).end('{"errors":["canary-4711"],"message":"canary-4711"}'),
  "answers 404": (_, answer) => answer.writeHead(404).end('{"errors":[]}'),
  "answers 429": (_, answer) => answer.writeHead(429, { "retry-after": "3600" }).end(),
  "answers 500": (_, answer) => answer.writeHead(500).end("canary-4711"),
  "answers 503, sealed": (_, answer) => answer.writeHead(503).end('{"errors":["Vault is sealed"]}'),
  "answers garbage": (_, answer) => answer.end("<html>canary-4711</html>"),
  "answers JSON that is cut off": (_, answer) => answer.setHeader("content-type", "application/json").end('{"data":{"token":"canary-4711'),
  "answers JSON of another shape": (_, answer) => answer.setHeader("content-type", "application/json").end('["canary-4711"]'),
  "answers null": (_, answer) => answer.setHeader("content-type", "application/json").end("null"),
  "answers nothing": (_, answer) => answer.end(),
  "answers too much": (_, answer) => answer.end(`{"data":"${"x".repeat(3_000_000)}"}`),
  "breaks off": (request) => request.socket.destroy(),
  "breaks off in the middle": (request, answer) => {
    answer.writeHead(200, { "content-length": "500" }).write('{"data":{"token":"canary-4711"');
    setTimeout(() => request.socket.destroy(), 10);
  },
  "redirects elsewhere": (_, answer, elsewhere) => answer.writeHead(307, { location: elsewhere }).end(),
  "never answers": () => undefined,
  "begins an answer and goes silent": (_, answer) => answer.write('{"data":'),
};

/** A server that does one of them, and another one that nobody should come to. */
export async function startFaulty(
  fault: Fault,
  tls?: Certified,
): Promise<{ address: string; readonly elsewhere: number; stop(): Promise<void> }> {
  let visits = 0;
  const elsewhere = await listening((_, answer) => {
    visits++;
    answer.end('{"data":{"data":{"token":"canary-4711"},"metadata":{"version":1}}}');
  });
  const server = await listening((request, answer) => {
    request.resume();
    fault(request, answer, elsewhere.address);
  }, tls);
  return {
    address: server.address,
    get elsewhere() {
      return visits;
    },
    stop: async () => {
      await Promise.all([server.stop(), elsewhere.stop()]);
    },
  };
}

export async function listening(listener: RequestListener, tls?: Certified): Promise<{ address: string; stop(): Promise<void> }> {
  const server = tls === undefined ? createServer(listener) : createTlsServer({ cert: tls.cert, key: tls.key }, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `${tls === undefined ? "http://127.0.0.1" : `https://${tls.host}`}:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
