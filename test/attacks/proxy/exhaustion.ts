import { once } from "node:events";
import type { Attack, Came, Family } from "./attack.ts";
import { bombs, frame, type Lab } from "./lab.ts";

const requestBomb = (coding: string): Attack => ({
  name: `a bomb of ${coding} as a request's body`,
  refused: "INVALID_REQUEST",
  attempt: (lab) => {
    const bomb = (bombs[coding] as () => Buffer)();
    return lab.inside(
      Buffer.concat([Buffer.from(lab.head("POST /anything", `Content-Encoding: ${coding}`, `Content-Length: ${bomb.length}`)), bomb]),
    );
  },
});
/** Where the head was on its way already, the end is missing, so that no tool takes it for whole. */
const answer = (name: string, how: string): Attack => ({
  name,
  refused: "closed",
  attempt: async (lab) => {
    const { text, ...came } = await lab.inside(lab.head(`GET /packed/${how}`));
    lab.echo.reached.length = 0;
    return { ...came, status: 0, text, closed: came.closed && !text.endsWith("0\r\n\r\n") };
  },
});
const redirect = (status: number): Attack => ({
  name: `a redirect (${status}) to where the secret would be caught`,
  refused: "not followed",
  attempt: async (lab) => {
    const came = await lab.inside(lab.head(`GET /away/${status}`));
    const told = lab.echo.reached.length === 1 && lab.elsewhere.reached.length === 0 && came.status === status;
    lab.echo.reached.length = 0;
    return { ...came, reason: told ? "not followed" : "followed" };
  },
});
const closes = async (socket: Awaited<ReturnType<Lab["tool"]["door"]>>): Promise<Came> => {
  await once(socket.resume(), "close");
  return { status: 0, reason: undefined, text: "", closed: true };
};

/** What is too much, too slow, or comes packed. */
export const exhaustion: Family = {
  name: "exhaustion",
  attacks: [
    ...Object.keys(bombs).map(requestBomb),
    ...Object.keys(bombs).map((coding) => answer(`a bomb of ${coding} as an answer`, `${coding}-bomb`)),
    answer("an answer that is not in the coding that it says", "gzip-plain"),
    answer("an answer that is cut in the middle", "br-cut"),
    answer("an answer in a coding that nobody knows", "compress"),
    answer("an answer that is packed three times", "thrice"),
    ...[301, 302, 307, 308].map(redirect),
    {
      name: "a head of 40 KB",
      refused: "INVALID_REQUEST",
      attempt: (lab) => lab.inside(lab.head("GET /anything", `X-A: ${"a".repeat(40_000)}`)),
    },
    {
      name: "seventy headers",
      refused: "INVALID_REQUEST",
      attempt: (lab) => lab.inside(lab.head("GET /anything", ...Array.from({ length: 70 }, (_, n) => `X-${n}: a`))),
    },
    {
      name: "a body beyond the target's bound",
      refused: "TOO_LARGE",
      attempt: (lab) => lab.inside(lab.head("POST /anything", "Content-Length: 50000000")),
    },
    {
      name: "HTTP/2: a list of headers of 40 KB",
      refused: "INVALID_REQUEST",
      attempt: (lab) => lab.http2({ "x-a": "a".repeat(20_000), "x-b": "b".repeat(20_000) }),
    },
    {
      name: "HTTP/2: headers that never end",
      refused: "closed",
      attempt: (lab) =>
        lab.frames([frame(1, 0, 1, Buffer.from([0x82])), ...Array.from({ length: 2000 }, () => frame(9, 0, 1, Buffer.alloc(1000, 0x82)))]),
    },
    {
      name: "HTTP/2: pings without end",
      refused: "closed",
      attempt: (lab) => lab.frames([Buffer.concat(Array.from({ length: 20_000 }, () => frame(6, 0, 0, Buffer.alloc(8))))]),
    },
    {
      name: "HTTP/2: settings without end",
      refused: "closed",
      attempt: (lab) => lab.frames([Buffer.concat(Array.from({ length: 20_000 }, () => frame(4, 0, 0)))]),
    },
    { name: "HTTP/2: a frame larger than agreed", refused: "closed", attempt: (lab) => lab.frames([frame(0, 0, 1, Buffer.alloc(20_000))]) },
    {
      name: "HTTP/2: data for a stream that is not there",
      refused: "closed",
      attempt: (lab) => lab.frames([frame(0, 1, 1, Buffer.from("x"))]),
    },
  ],
  twins: [
    {
      name: "HTTP/2: some pings and settings",
      attempt: async (lab) => {
        const came = await lab.frames([frame(6, 0, 0, Buffer.alloc(8)), frame(4, 0, 0), frame(6, 0, 0, Buffer.alloc(8))], 300);
        return { ...came, status: came.closed ? 0 : 200 };
      },
    },
    { name: "an answer in gzip", attempt: (lab) => lab.inside(lab.head("GET /packed/gzip")) },
    { name: "an answer in zstd", attempt: (lab) => lab.inside(lab.head("GET /packed/zstd")) },
    {
      name: "fifty headers",
      attempt: (lab) => lab.inside(lab.head("GET /anything", ...Array.from({ length: 50 }, (_, n) => `X-${n}: a`))),
    },
  ],
};

/** They take as long as the proxy's patience, so all at once. */
export const slowness: Family = {
  name: "slowness",
  attacks: [
    {
      name: "a head that does not end",
      refused: "closed",
      attempt: async (lab) => {
        const socket = await lab.tool.to("api.a.test", lab.echo.port);
        socket.write("GET /anything HTTP/1.1\r\n");
        return closes(socket);
      },
    },
    {
      name: "a body that stops in the middle",
      refused: "CANCELLED",
      attempt: async (lab) => {
        const socket = await lab.tool.to("api.a.test", lab.echo.port);
        socket.write(`${lab.head("POST /anything", "Content-Length: 100")}half`);
        const [piece] = (await once(socket, "data")) as [Buffer];
        const text = piece.toString();
        return { status: Number(text.slice(9, 12)), reason: /"reason":"([A-Z_]+)"/.exec(text)?.[1], text, closed: false };
      },
    },
    {
      name: "a tunnel in which nothing comes",
      refused: "closed",
      attempt: async (lab) => closes((await lab.tool.tunnel(lab.host)).socket),
    },
    {
      name: "a TLS handshake that does not end",
      refused: "closed",
      attempt: async (lab) => {
        const { socket } = await lab.tool.tunnel(lab.host);
        socket.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]));
        return closes(socket);
      },
    },
  ],
  twins: [],
};
