import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A target that notes when each request reached it, and answers once it has it whole; never where its path ends in `/silent`. */
export interface Recorder {
  readonly url: string;
  /** `at`: epoch milliseconds. */
  readonly arrived: readonly { readonly path: string; readonly at: number }[];
  /** Paths of those that are here whole. */
  readonly whole: readonly string[];
  stop(): Promise<void>;
}

export async function startRecorder(): Promise<Recorder> {
  const arrived: { path: string; at: number }[] = [];
  const whole: string[] = [];
  const server = createServer((request, answer) => {
    const path = request.url ?? "";
    arrived.push({ path, at: Date.now() });
    request.resume().once("end", () => {
      whole.push(path);
      if (!path.endsWith("/silent")) answer.end("ok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    whole,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
