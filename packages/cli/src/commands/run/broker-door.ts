import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent, type RequestOptions, request } from "node:https";
import { isIP, type Socket } from "node:net";
import { isReason, printable, Refusal } from "@sallyport/contracts";
import type { Doors } from "./doors.ts";
import type { Proof, ToolAgent } from "./tool-agent.ts";

/** What the broker tells whoever runs a tool. */
export interface About {
  /** The CA that signs what the proxy shows as the targets' hosts, PEM. */
  readonly ca: string;
  /** Hosts that must never be reached around the proxy. */
  readonly hosts: readonly string[];
}

/** The broker's proxy door, opened with the agent's certificate; every request on it carries the agent's credential. */
export class BrokerDoor {
  readonly #agent: Pick<ToolAgent, "proof">;
  readonly #doors: Doors;
  #kept: { proof: Proof; connections: Agent } | undefined;

  constructor(agent: Pick<ToolAgent, "proof">, doors: Doors) {
    this.#agent = agent;
    this.#doors = doors;
  }

  /** @throws Refusal TARGET_UNAVAILABLE, or what the broker says */
  async about(): Promise<About> {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      bounded(request(this.options("GET", "/.well-known/sallyport-proxy", ["host", this.#doors.proxy]), resolve), 10_000)
        .on("error", (cause) => reject(unreachable(this.#doors.proxy, cause)))
        .end();
    });
    const pieces: Buffer[] = [];
    for await (const piece of answer) pieces.push(piece);
    const { ca, hosts, error } = parsed(Buffer.concat(pieces).toString("utf8"));
    if (error !== undefined && isReason(error.reason)) throw new Refusal(error.reason, printable(error.message, 400));
    if (typeof ca !== "string" || !Array.isArray(hosts))
      throw new Refusal("INTERNAL", `What answers at ${printable(this.#doors.proxy)} is no proxy of Sallyport's; name it with --proxy.`);
    return { ca, hosts };
  }

  /** For one request, on a kept connection. @param headers name, value, name, value, … of the tool's, without its proxy's own */
  options(method: string, path: string, headers: readonly string[]): RequestOptions {
    const { proof } = this.#agent;
    if (this.#kept?.proof.token !== proof.token) {
      this.#kept?.connections.destroy();
      this.#kept = { proof, connections: new Agent({ ...this.#tls(proof), keepAlive: true, maxSockets: 1024 }) };
    }
    return {
      ...this.#address(),
      ...this.#tls(proof),
      agent: this.#kept.connections,
      method,
      path,
      headers: [...headers, ...authorization(proof)],
    };
  }

  /** A tunnel's beginning: resolves with the answer to `CONNECT` and its connection. @throws Refusal TARGET_UNAVAILABLE */
  connect(authority: string): Promise<{ answer: IncomingMessage; socket: Socket; head: Buffer }> {
    const { proof } = this.#agent;
    return new Promise((resolve, reject) => {
      const asking = request({
        ...this.#address(),
        ...this.#tls(proof),
        agent: false,
        method: "CONNECT",
        path: authority,
        headers: ["host", authority, ...authorization(proof)],
      });
      bounded(asking, 30_000)
        .on("connect", (answer, socket, head) => {
          socket.setTimeout(0);
          resolve({ answer, socket, head });
        })
        .on("error", (cause) => reject(unreachable(this.#doors.proxy, cause)))
        .end();
    });
  }

  close(): void {
    this.#kept?.connections.destroy();
  }

  #address() {
    const at = this.#doors.proxy.lastIndexOf(":");
    return { host: this.#doors.proxy.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(this.#doors.proxy.slice(at + 1)) };
  }

  #tls({ key, certificate }: Proof) {
    const { host } = this.#address();
    // Never the name in a tool's Host header.
    return {
      key,
      cert: certificate,
      ...(this.#doors.ca === undefined ? {} : { ca: this.#doors.ca }),
      servername: isIP(host) === 0 ? host : "",
    };
  }
}

const authorization = ({ token }: Proof) => ["proxy-authorization", `Bearer ${token}`];

function parsed(text: string): Partial<About> & { error?: { reason: string; message: string } } {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

const bounded = (asking: ClientRequest, ms: number) =>
  asking.setTimeout(ms, () => asking.destroy(new Error(`no answer in ${ms / 1000} s`)));

const unreachable = (address: string, cause: Error) =>
  new Refusal(
    "TARGET_UNAVAILABLE",
    `The broker's proxy at ${printable(address)} cannot be reached (${printable(cause.message)}): is it started, with \`proxy\` in its configuration? --proxy names another address.`,
    { cause },
  );
