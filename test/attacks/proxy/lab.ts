import { once } from "node:events";
import { connect as connectHttp2, type OutgoingHttpHeaders } from "node:http2";
import zlib from "node:zlib";
import { type EchoTarget, startEcho } from "../../clients/echo-target.ts";
import { newCanary, type ProxySite, proxySite } from "../../clients/proxy-site.ts";
import { RawTool } from "../../clients/raw-tool.ts";
import type { Came } from "./attack.ts";

/** An installation with a proxy, two targets with a secret and a destination without one; and a tool that sends any bytes. */
export class Lab {
  readonly canary: string;
  readonly echo: EchoTarget;
  /** Another target with the secret, by plain HTTP. */
  readonly plain: EchoTarget;
  /** Nobody's: on another address, and passed unread by the configuration. */
  readonly elsewhere: EchoTarget;
  readonly site: ProxySite;
  readonly tool: RawTool;

  private constructor(parts: Pick<Lab, "canary" | "echo" | "plain" | "elsewhere" | "site" | "tool">) {
    Object.assign(this, parts);
    ({ canary: this.canary, echo: this.echo, plain: this.plain, elsewhere: this.elsewhere, site: this.site, tool: this.tool } = parts);
  }

  static async start(): Promise<Lab> {
    const canary = newCanary();
    const echo = await startEcho("api.a.test", canary, {
      routes: ({ url }, answer) => {
        const [, route, how = ""] = /^\/(packed|away)\/([^/?]*)/.exec(url ?? "") ?? [];
        if (route === undefined) return false;
        if (route === "away")
          answer.writeHead(Number(how), { location: `http://one.away.test:${elsewhere.port}/caught?was=${canary}` }).end();
        else {
          const [coding, body] = packed(how, canary);
          answer.setHeader("content-encoding", coding).end(body);
        }
        return true;
      },
    });
    const plain = await startEcho("plain.a.test", canary, { plain: true });
    const elsewhere = await startEcho("one.away.test", "x", { plain: true, address: "127.0.0.2" });
    const allow = ["GET /anything", "POST /anything", "DELETE /anything", "HEAD /anything", "GET /packed/{how}", "GET /away/{status}"];
    const site = await proxySite(
      canary,
      {
        echo: {
          server: echo,
          allow: [...allow, "GET /v1/heartbeat", "GET /{package}", "GET /{package}/-/{file}"],
          more: { maxBodyBytes: 48_000_000 },
        },
        // On the same address, so that only names tell them apart.
        "other-name": { server: { ...echo, host: "b.test" }, allow },
        plain: { server: plain, allow },
      },
      {
        proxy: {
          pass: [`*.away.test:${elsewhere.port}`, `*.dns.test:${elsewhere.port}`, "rebound.test:81"],
          network: ["127.0.0.2/32"],
        },
      },
    );
    return new Lab({ canary, echo, plain, elsewhere, site, tool: await RawTool.start(site) });
  }

  /** How many requests each target was reached by: the one that is asked, the other one, and the one without a secret. */
  get reached(): number[] {
    return [this.echo, this.plain, this.elsewhere].map(({ reached }) => reached.length);
  }

  forget(): void {
    for (const { reached } of [this.echo, this.plain, this.elsewhere]) reached.length = 0;
  }

  get host(): string {
    return `api.a.test:${this.echo.port}`;
  }

  /** A request's head, with the `Host` that belongs there. */
  head(line: string, ...headers: string[]): string {
    return `${[`${line} HTTP/1.1`, `Host: ${this.host}`, ...headers].join("\r\n")}\r\n\r\n`;
  }

  async inside(bytes: string | Uint8Array): Promise<Came> {
    const socket = await this.tool.to("api.a.test", this.echo.port);
    const came = cameOf(await this.tool.exchange(socket, typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes));
    socket.destroy();
    return came;
  }

  /** At the proxy's own door. @param authorization of this lab's tool unless given */
  async door(bytes: (authorization: string) => string, by: RawTool = this.tool, authorization = by.authorization): Promise<Came> {
    const socket = await by.door();
    const came = cameOf(await by.exchange(socket, bytes(authorization)));
    socket.destroy();
    return came;
  }

  async connect(authority: string, host = authority, more = ""): Promise<Came> {
    return this.door((authorization) => `CONNECT ${authority} HTTP/1.1\r\nHost: ${host}\r\n${authorization}${more}\r\n`);
  }

  /** One stream of HTTP/2. */
  async http2(headers: OutgoingHttpHeaders): Promise<Came> {
    const socket = await this.tool.to("api.a.test", this.echo.port, ["h2"]);
    const session = connectHttp2(`https://${this.host}`, { createConnection: () => socket });
    session.on("error", () => undefined);
    const stream = session.request({ ":authority": this.host, ":path": "/anything", ...headers }, { endStream: true });
    const pieces: Buffer[] = [];
    let status = 0;
    stream
      .on("error", () => undefined)
      .on("response", (answer) => {
        status = Number(answer[":status"]);
      })
      .on("data", (piece: Buffer) => pieces.push(piece));
    await new Promise((resolve) => stream.once("close", resolve));
    session.destroy();
    const text = Buffer.concat(pieces).toString();
    return { status, reason: reasonOf(text), text, closed: status === 0 };
  }

  /** Frames of HTTP/2 as they are. */
  async frames(frames: readonly Buffer[], patienceMs = 10_000): Promise<Came> {
    const socket = await this.tool.to("api.a.test", this.echo.port, ["h2"]);
    for (const bytes of [Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0), ...frames])
      if (!socket.destroyed) socket.write(bytes);
    const closed = await Promise.race([
      once(socket.resume(), "close").then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), patienceMs).unref()),
    ]);
    return { status: 0, reason: undefined, text: "", closed };
  }

  async stop(): Promise<void> {
    await this.tool.stop();
    await this.site.stop();
    await Promise.all([this.echo, this.plain, this.elsewhere].map((target) => target.stop()));
  }
}

/** RFC 9113 §4.1. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const reasonOf = (text: string) => /"reason":"([A-Z_]+)"/.exec(text)?.[1] ?? /^sallyport-reason: ([A-Z_]+)/m.exec(text)?.[1];

const cameOf = ({ text, closed }: { text: string; closed: boolean }): Came => ({
  status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0),
  reason: reasonOf(text),
  text,
  closed,
});

const zeros = Buffer.alloc(32 * 1024 * 1024);
export const bombs: Readonly<Record<string, () => Buffer>> = {
  gzip: () => zlib.gzipSync(zeros),
  deflate: () => zlib.deflateSync(zeros),
  br: () => zlib.brotliCompressSync(zeros, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }),
  zstd: () => zlib.zstdCompressSync(zeros),
};

/** `gzip-bomb`, `br-cut`, `gzip-plain`, `compress`, `gzip` …, or by a name of {@link packings}: its `Content-Encoding`, and the body. */
function packed(how: string, canary: string): [coding: string, body: Buffer] {
  const named = packings[how];
  if (named !== undefined) return named(canary);
  const [coding = "", what] = how.split("-");
  const text = Buffer.from(`it is ${canary}`);
  if (what === "bomb") return [coding, (bombs[coding] as () => Buffer)()];
  if (what === "plain") return [coding, text];
  const whole = packers[coding]?.(text) ?? text;
  return [coding, what === "cut" ? whole.subarray(0, -6) : whole];
}

const packings: Readonly<Record<string, (canary: string) => [coding: string, body: Buffer]>> = {
  members: (canary) => ["gzip", Buffer.concat([zlib.gzipSync("first "), zlib.gzipSync(canary)])],
  twice: (canary) => ["gzip, br", zlib.brotliCompressSync(zlib.gzipSync(`twice ${canary}`))],
  thrice: (canary) => ["gzip, gzip, gzip", zlib.gzipSync(zlib.gzipSync(zlib.gzipSync(canary)))],
};

const packers: Readonly<Record<string, (text: Buffer) => Buffer>> = {
  gzip: (text) => zlib.gzipSync(text),
  deflate: (text) => zlib.deflateSync(text),
  br: (text) => zlib.brotliCompressSync(text),
  zstd: (text) => zlib.zstdCompressSync(text),
};
