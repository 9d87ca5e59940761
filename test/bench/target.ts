// The simplest API that there can be, as a process of its own: it costs what an HTTP request costs and nothing more.
import { createServer } from "node:http";

const answer = Buffer.from('{"order":"42","state":"paid"}');
const server = createServer((_request, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": answer.length }).end(answer);
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as { port: number }).port));
