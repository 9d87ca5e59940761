import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A target that notes when each request reached it, and answers once it has it whole. */
export interface Recorder {
  readonly url: string;
  /** `at`: epoch milliseconds. */
  readonly arrived: readonly { readonly path: string; readonly at: number }[];
  stop(): Promise<void>;
}

export async function startRecorder(): Promise<Recorder> {
  const arrived: { path: string; at: number }[] = [];
  const server = createServer((request, answer) => {
    arrived.push({ path: request.url ?? "", at: Date.now() });
    request.resume().once("end", () => answer.end("ok"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
