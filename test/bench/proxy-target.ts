// A trivial API over TLS, and a bare proxy in front of it: each a process of its own, as costs of one must not fall on another.
// node proxy-target.ts target | node proxy-target.ts proxy <port of the target>: prints its port, then its certificate.
import { Agent, createServer, request } from "node:https";
import { certificateFor } from "../../packages/egress/src/certificates.fixture.ts";

const [, , role, port] = process.argv;
const { cert, key } = await certificateFor("localhost", "dns");
const small = Buffer.from('{"order":"42","state":"paid"}');
const piece = Buffer.alloc(256 * 1024, "the quick brown fox jumps over the lazy dog. ");

const target = createServer({ cert, key }, async (asked, answer) => {
  const bytes = Number(/^\/big\/(\d+)$/.exec(asked.url ?? "")?.[1] ?? 0);
  if (bytes === 0) return void answer.writeHead(200, { "content-type": "application/json", "content-length": small.length }).end(small);
  answer.writeHead(200, { "content-type": "text/plain", "content-length": bytes });
  for (let left = bytes; left > 0 && !answer.destroyed; left -= piece.length)
    if (!answer.write(left < piece.length ? piece.subarray(0, left) : piece)) await new Promise((resolve) => answer.once("drain", resolve));
  answer.end();
});

/** What Node alone does between two TLS connections: no check, no record, no secret. */
const kept = new Agent({ keepAlive: true, maxSockets: 64, rejectUnauthorized: false });
const bare = createServer({ cert, key }, (asked, answer) => {
  const onward = request({ host: "127.0.0.1", port, path: asked.url, method: asked.method, headers: asked.headers, agent: kept }, (got) => {
    answer.writeHead(got.statusCode ?? 502, got.headers);
    got.pipe(answer);
  });
  asked.pipe(onward);
});

const server = role === "proxy" ? bare : target;
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: (server.address() as { port: number }).port, cert })));
