import assert from "node:assert/strict";
import { RawTool } from "../../clients/raw-tool.ts";
import type { Attack, Came, Family } from "./attack.ts";
import type { Lab } from "./lab.ts";

const withHeader = (name: string, refused: string, header: (lab: Lab) => string): Attack => ({
  name,
  refused,
  attempt: (lab) => lab.door(() => `CONNECT ${lab.host} HTTP/1.1\r\nHost: ${lab.host}\r\n${header(lab)}\r\n`),
});
const stolen = (name: string, head: (lab: Lab) => string): Attack => ({
  name,
  refused: "PROOF_INVALID",
  attempt: async (lab) => {
    const thief = await RawTool.start(lab.site, "thief");
    const came = await lab.door((credential) => `${head(lab)}${credential}\r\n`, thief, lab.tool.authorization);
    await thief.stop();
    return came;
  },
});
const bearer = (text: string) => `Proxy-Authorization: Bearer ${text}\r\n`;
const token = (lab: Lab) => lab.tool.agent.proof.token;

/** Whoever has no right to be here, or no longer. */
export const credentials: Family = {
  name: "credentials",
  attacks: [
    { name: "no client certificate", refused: "closed", attempt: withoutCertificate },
    withHeader("no credential", "UNAUTHENTICATED", () => ""),
    withHeader("not a credential", "UNAUTHENTICATED", () => bearer("x")),
    withHeader("a user name and password", "UNAUTHENTICATED", () => "Proxy-Authorization: Basic eDp5\r\n"),
    withHeader("the credential twice", "INVALID_REQUEST", (lab) => `${lab.tool.authorization}${lab.tool.authorization}`),
    withHeader("the credential, changed", "UNAUTHENTICATED", (lab) => bearer(changed(token(lab)))),
    withHeader("the credential without its signature", "UNAUTHENTICATED", (lab) =>
      bearer(`${token(lab).split(".").slice(0, 2).join(".")}.`),
    ),
    withHeader("the credential as of no algorithm", "UNAUTHENTICATED", (lab) =>
      bearer(`${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url")}.${token(lab).split(".")[1]}.`),
    ),
    withHeader("the credential where a site's would be", "UNAUTHENTICATED", (lab) => `Authorization: Bearer ${token(lab)}\r\n`),
    stolen("another agent's credential on a certificate of one's own", ({ host }) => `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n`),
    stolen("the same by plain HTTP", ({ plain }) => {
      const authority = `${plain.host}:${plain.port}`;
      return `GET http://${authority}/anything HTTP/1.1\r\nHost: ${authority}\r\n`;
    }),
    {
      name: "a tunnel of an agent that was revoked since",
      refused: "CREDENTIAL_REVOKED",
      attempt: async (lab) => {
        const child = await RawTool.start(lab.site, "revoked");
        const socket = await child.to("api.a.test", lab.echo.port);
        assert.match((await child.exchange(socket, lab.head("GET /anything"))).text, /^HTTP\/1\.1 200/);
        lab.forget();
        await child.agent.end();
        const { text, closed } = await child.exchange(socket, lab.head("GET /anything"));
        await child.stop();
        return { status: Number(text.slice(9, 12)), reason: /"reason":"([A-Z_]+)"/.exec(text)?.[1], text, closed };
      },
    },
    {
      name: "what is told to whoever runs tools, without a credential",
      refused: "UNAUTHENTICATED",
      attempt: (lab) => lab.door(() => `GET /.well-known/sallyport-proxy HTTP/1.1\r\nHost: ${lab.site.proxy}\r\n\r\n`),
    },
  ],
  twins: [
    {
      name: "the credential in another request of its tunnel, which ends here",
      attempt: (lab) => lab.inside(lab.head("GET /anything", bearer(token(lab)).trim())),
    },
  ],
};

async function withoutCertificate(lab: Lab): Promise<Came> {
  const socket = await lab.tool.door(null).catch(() => undefined);
  const came = socket === undefined ? { text: "", closed: true } : await lab.tool.exchange(socket, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  return { status: came.text === "" ? 0 : 200, reason: undefined, ...came };
}

/** Another link's name in it. */
function changed(credential: string): string {
  const [head, claims = "", signature] = credential.split(".");
  const text = Buffer.from(claims, "base64url")
    .toString()
    .replace(/"sub":"[^"]*"/, '"sub":"corp/root"');
  return `${head}.${Buffer.from(text).toString("base64url")}.${signature}`;
}
