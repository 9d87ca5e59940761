import { type Attack, type Family, inside, passes } from "./attack.ts";
import type { Lab } from "./lab.ts";

const bare = (name: string, bytes: (lab: Lab) => string): Attack => inside(name, "INVALID_REQUEST", (lab) => `${bytes(lab)}\r\n\r\n`);

/** Names that disagree: the credential would be picked by one and sent to the other. */
export const names: Family = {
  name: "names that disagree",
  attacks: [
    bare("absolute-form of another target", ({ echo, host }) => `GET https://b.test:${echo.port}/anything HTTP/1.1\r\nHost: ${host}`),
    bare("absolute-form without TLS", ({ host }) => `GET http://${host}/anything HTTP/1.1\r\nHost: ${host}`),
    bare("absolute-form with user info", ({ host }) => `GET https://${host}@evil.test/anything HTTP/1.1\r\nHost: ${host}`),
    bare("absolute-form of another scheme", ({ host }) => `GET ftp://${host}/anything HTTP/1.1\r\nHost: ${host}`),
    bare("absolute-form with a backslash", ({ host }) => `GET https://${host}\\@evil.test/ HTTP/1.1\r\nHost: ${host}`),
    bare("Host of another target", ({ echo }) => `GET /anything HTTP/1.1\r\nHost: b.test:${echo.port}`),
    bare("two Hosts", ({ host }) => `GET /anything HTTP/1.1\r\nHost: ${host}\r\nHost: evil.test`),
    bare("the same Host twice", ({ host }) => `GET /anything HTTP/1.1\r\nHost: ${host}\r\nHost: ${host}`),
    bare("Host without the port", () => "GET /anything HTTP/1.1\r\nHost: api.a.test"),
    bare("Host of another port", ({ echo }) => `GET /anything HTTP/1.1\r\nHost: api.a.test:${echo.port + 1}`),
    bare("Host with user info", ({ host }) => `GET /anything HTTP/1.1\r\nHost: x@${host}`),
    bare("a list of Hosts", ({ host }) => `GET /anything HTTP/1.1\r\nHost: ${host}, evil.test`),
    bare("Host with a path", ({ host }) => `GET /anything HTTP/1.1\r\nHost: ${host}/evil`),
    bare("an empty Host", () => "GET /anything HTTP/1.1\r\nHost:"),
    bare("no Host", () => "GET /anything HTTP/1.1"),
    bare("a network-path reference", ({ host }) => `GET //evil.test/anything HTTP/1.1\r\nHost: ${host}`),
    bare("asterisk-form", ({ host }) => `OPTIONS * HTTP/1.1\r\nHost: ${host}`),
    { name: "CONNECT in a tunnel", refused: "closed", attempt: (lab) => lab.inside(lab.head(`CONNECT ${lab.host}`)) },
    { name: "CONNECT with another Host", refused: "INVALID_REQUEST", attempt: (lab) => lab.connect(lab.host, `b.test:${lab.echo.port}`) },
    {
      name: "CONNECT with two Hosts",
      refused: "INVALID_REQUEST",
      attempt: (lab) => lab.connect(lab.host, lab.host, `Host: ${lab.host}\r\n`),
    },
    { name: "CONNECT without a port", refused: "INVALID_REQUEST", attempt: (lab) => lab.connect("api.a.test") },
    { name: "CONNECT with user info", refused: "INVALID_REQUEST", attempt: (lab) => lab.connect(`x@${lab.host}`, lab.host) },
    { name: "CONNECT with a path", refused: "INVALID_REQUEST", attempt: (lab) => lab.connect(`${lab.host}/x`, lab.host) },
    { name: "CONNECT with a body", refused: "INVALID_REQUEST", attempt: (lab) => lab.connect(lab.host, lab.host, "Content-Length: 4\r\n") },
    { name: "TLS for another name in the tunnel", refused: "closed", attempt: (lab) => serverName(lab, "b.test") },
    { name: "TLS for nobody's name in the tunnel", refused: "closed", attempt: (lab) => serverName(lab, "evil.test") },
    { name: "no TLS where the target has it", refused: "closed", attempt: withoutTls },
    {
      name: "the address in place of the name",
      refused: "DESTINATION_NOT_ALLOWED",
      attempt: (lab) => lab.connect(`127.0.0.1:${lab.echo.port}`),
    },
    {
      name: "HTTP/2: another authority",
      refused: "INVALID_REQUEST",
      attempt: (lab) => lab.http2({ ":authority": `b.test:${lab.echo.port}` }),
    },
    { name: "HTTP/2: another Host", refused: "INVALID_REQUEST", attempt: (lab) => lab.http2({ host: "evil.test" }) },
    { name: "HTTP/2: another scheme", refused: "INVALID_REQUEST", attempt: (lab) => lab.http2({ ":scheme": "http" }) },
    { name: "HTTP/2: a network-path reference", refused: "INVALID_REQUEST", attempt: (lab) => lab.http2({ ":path": "//evil.test/" }) },
    { name: "HTTP/2: a method in lower case", refused: "INVALID_REQUEST", attempt: (lab) => lab.http2({ ":method": "get" }) },
    {
      name: "HTTP/2: a line break in a path",
      refused: "INVALID_REQUEST",
      attempt: (lab) => lab.http2({ ":path": "/anything%0d%0aHost:%20evil.test" }),
    },
  ],
  twins: [
    passes(
      "absolute-form of the same target, in capitals",
      ({ host }) => `GET https://${host}/anything HTTP/1.1\r\nHost: ${host.toUpperCase()}\r\n\r\n`,
    ),
    { name: "HTTP/2 with the same Host as authority", attempt: (lab) => lab.http2({ host: lab.host }) },
  ],
};

async function serverName(lab: Lab, name: string) {
  const { socket } = await lab.tool.tunnel(lab.host);
  const secure = await lab.tool.secure(socket, name).catch(() => undefined);
  const text = secure === undefined ? "" : (await lab.tool.exchange(secure, lab.head("GET /anything"))).text;
  return { status: text === "" ? 0 : 200, reason: undefined, text, closed: secure === undefined };
}

async function withoutTls(lab: Lab) {
  const { socket } = await lab.tool.tunnel(lab.host);
  const { text, closed } = await lab.tool.exchange(socket, lab.head("GET /anything"));
  return { status: text === "" ? 0 : 200, reason: undefined, text, closed };
}
