import { once } from "node:events";
import { isIP, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { Action, type Session } from "@sallyport/sdk";
import { ToolAgent } from "../../packages/cli/src/commands/run/tool-agent.ts";
import { loadProfile } from "../../packages/cli/src/profile/profile.ts";
import { orders } from "../faults/site.ts";
import type { ProxySite } from "./proxy-site.ts";

const patienceMs = 15_000;
const lingerMs = 60;
const lastChunk = Buffer.from("0\r\n\r\n");

/** Where an installation's doors are. */
export type Place = Pick<ProxySite, "proxy" | "authnMtls" | "endpoints">;

/** Whoever runs tools, without the care that `sallyport run` takes: every byte to the broker's proxy is the test's own. */
export class RawTool {
  readonly agent: ToolAgent;
  readonly #site: Place;
  readonly #open = new Set<Socket>();

  private constructor(site: Place, agent: ToolAgent) {
    this.#site = site;
    this.agent = agent;
  }

  /** @param given who delegates; the site's own agent unless given */
  static async start(site: Place, name = "tool", given?: Session): Promise<RawTool> {
    const parent = given ?? (await loadProfile("default")).session;
    try {
      const doors = { proxy: site.proxy, authnMtls: site.authnMtls, ca: site.endpoints.ca, dataDir: undefined };
      return new RawTool(site, await ToolAgent.start(parent, { name, ceiling: uses }, doors));
    } finally {
      parent.close();
    }
  }

  get authorization(): string {
    return `Proxy-Authorization: Bearer ${this.agent.proof.token}\r\n`;
  }

  /** A connection to the proxy's door with the agent's certificate, or without one. */
  async door(proof: { certificate: string; key: string } | null = this.agent.proof): Promise<TLSSocket> {
    const [host, port] = this.#site.proxy.split(":") as [string, string];
    const client = proof === null ? {} : { cert: proof.certificate, key: proof.key };
    const socket = connect({ host, port: Number(port), ca: this.#site.endpoints.ca ?? "", servername: "", ...client });
    this.#keep(socket);
    await once(socket, "secureConnect");
    return socket;
  }

  /** What comes back for bytes on a connection, until that many answers are whole, or it closes. */
  async exchange(socket: Socket, bytes: string | Uint8Array, answers = 1): Promise<{ text: string; closed: boolean }> {
    socket.write(bytes);
    return this.read(socket, answers);
  }

  /** The same for what was written before. An answer that none should follow is waited on a little, one that is not whole for long. */
  read(socket: Socket, answers = 1): Promise<{ text: string; closed: boolean }> {
    return new Promise((resolve) => {
      let text = "";
      let timer = setTimeout(() => done(false), patienceMs);
      // A long text is looked at where it may end only.
      const isWhole = (piece: Buffer) => (text.length < 100_000 || piece.subarray(-5).equals(lastChunk)) && wholeAnswers(text) >= answers;
      const hear = (piece: Buffer) => {
        text += piece.toString("latin1");
        clearTimeout(timer);
        timer = setTimeout(() => done(false), isWhole(piece) ? lingerMs : patienceMs);
      };
      const done = (closed: boolean) => {
        clearTimeout(timer);
        socket.off("data", hear).off("close", ended).off("end", ended);
        resolve({ text, closed });
      };
      const ended = () => done(true);
      socket.on("data", hear).on("close", ended).on("end", ended);
      if (socket.destroyed || socket.readableEnded) done(true);
    });
  }

  /** `CONNECT`: the tunnel, or what was answered instead. */
  async tunnel(authority: string, more = ""): Promise<{ socket: TLSSocket; answer: string }> {
    const socket = await this.door();
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${this.authorization}${more}\r\n`);
    const [piece] = (await once(socket, "data")) as [Buffer];
    return { socket, answer: piece.toString("latin1") };
  }

  /** TLS in a tunnel, as a tool that trusts everybody begins it. @throws where the proxy breaks it off */
  async secure(socket: Socket, servername: string, protocols: readonly string[] = ["http/1.1"]): Promise<TLSSocket> {
    const secure = connect({
      socket,
      servername: isIP(servername) === 0 ? servername : "",
      ALPNProtocols: [...protocols],
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    this.#keep(secure);
    await once(secure, "secureConnect");
    return secure;
  }

  /** TLS in a tunnel to a target, ready for requests. */
  async to(host: string, port: number, protocols?: readonly string[]): Promise<TLSSocket> {
    const { socket, answer } = await this.tunnel(`${host}:${port}`);
    if (!answer.startsWith("HTTP/1.1 200")) throw new Error(answer);
    return this.secure(socket, host, protocols);
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await this.agent.end();
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.on("error", () => undefined);
  }
}

const uses = { entries: orders.entries?.map((entry) => ({ ...entry, actions: [Action.USE] })) ?? [] };

/** How many answers of HTTP/1.1 a text holds to their end; interim ones are none. */
function wholeAnswers(text: string): number {
  let count = 0;
  for (let rest = text; ; ) {
    const end = rest.indexOf("\r\n\r\n") + 4;
    if (end < 4) return count;
    const head = rest.slice(0, end);
    const body = rest.slice(end);
    const interim = /^HTTP\/1\.1 1\d\d/.test(head);
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    const chunked = /^transfer-encoding: chunked/im.test(head);
    const size = chunked ? (/(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(body) ?? { index: Infinity, 0: "" }) : { index: length, 0: "" };
    const after = size.index + size[0].length;
    if (after > body.length) return count;
    if (!interim) count++;
    rest = body.slice(after);
  }
}
