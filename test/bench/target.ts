// The simplest API that there can be, as a process of its own: it costs what an HTTPS request costs and nothing more.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

const [cert, key] = process.argv.slice(2).map((file) => readFileSync(file));
const answer = Buffer.from('{"order":"42","state":"paid"}');
const server = createServer({ cert, key }, (_request, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": answer.length }).end(answer);
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as { port: number }).port));
