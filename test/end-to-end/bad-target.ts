import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";

/** A target that gives the secret back while it breaks off, talks no HTTP, or says nothing at all, by the request's path. */
export async function startBadTarget(secret: string): Promise<{ url: string; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    socket.once("data", (data) => {
      const path = data.toString("latin1").split(" ")[1] ?? "";
      if (path.endsWith("/silent")) return;
      if (path.endsWith("/no-http")) return void socket.end(`${secret} is no HTTP\r\n\r\n`);
      if (path.endsWith("/bad-header")) return void socket.end(`HTTP/1.1 200 OK\r\nx-${secret}\r\nx bad: ${secret}\r\n\r\n`);
      if (path.endsWith("/breaks-off")) {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 100000\r\nx-token: ${secret}\r\n\r\nhere is ${secret}`);
        return void setTimeout(() => socket.resetAndDestroy(), 50);
      }
      if (path.endsWith("/bad-gzip")) {
        return void socket.end(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${secret.length}\r\n\r\n${secret}`);
      }
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
