import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type Certified, listening } from "../faulty-server.fixture.ts";

/** As much of Azure's Key Vault and token service as the adapter uses, after their documentation: our own, so it proves little. */
export async function startKeyVault(tls: Certified): Promise<{ address: string; tokens: URLSearchParams[]; stop(): Promise<void> }> {
  const secrets = new Map<string, { id: string; value: string; created: number }[]>();
  const tokens: URLSearchParams[] = [];
  const server = await listening(async (request, answer) => {
    const url = new URL(request.url ?? "", "http://x");
    const send = (status: number, body: object, headers: Record<string, string> = {}) =>
      answer.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    const body = await bodyOf(request);
    if (url.pathname === "/tenant/oauth2/v2.0/token") {
      tokens.push(new URLSearchParams(body));
      return send(200, { access_token: `access-${tokens.length}`, expires_in: 3600 });
    }
    if (request.headers.authorization !== `Bearer access-${tokens.length}`)
      return send(401, {}, { "www-authenticate": 'Bearer authorization="https://elsewhere.test/tenant", resource="https://vault.test"' });
    const [, name = "", version = ""] = /^\/secrets\/([^/]+)\/?([^/]*)$/.exec(url.pathname) ?? [];
    const versions = secrets.get(name) ?? [];
    const shown = ({ id, value, created }: { id: string; value: string; created: number }) =>
      send(200, { value, id: `https://${tls.host}/secrets/${name}/${id}`, attributes: { enabled: true, created, updated: created } });
    if (request.method === "PUT") {
      const made = { id: randomBytes(16).toString("hex"), value: JSON.parse(body).value, created: Math.floor(Date.now() / 1000) };
      secrets.set(name, [...versions, made]);
      return shown(made);
    }
    const found = version === "" ? versions.at(-1) : versions.find(({ id }) => id === version);
    return found === undefined ? send(404, { error: { code: "SecretNotFound", message: "canary-4711" } }) : shown(found);
  }, tls);
  return { ...server, tokens };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request) text += piece;
  return text;
}
