import type { IncomingMessage } from "node:http";
import { listening } from "../faulty-server.fixture.ts";

/** As much of Google's Secret Manager and token service as the adapter uses, after their documentation: our own, so it proves little. */
export async function startSecretManager(): Promise<{ address: string; tokens: string[]; stop(): Promise<void> }> {
  const secrets = new Map<string, string[]>();
  const tokens: string[] = [];
  const server = await listening(async (request, answer) => {
    const url = new URL(request.url ?? "", "http://x");
    const send = (status: number, body: object) =>
      answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const body = await bodyOf(request);
    if (url.pathname === "/token") {
      tokens.push(new URLSearchParams(body).get("assertion") ?? "");
      return send(200, { access_token: `access-${tokens.length}`, expires_in: 3600 });
    }
    if (request.headers.authorization !== `Bearer access-${tokens.length}`)
      return send(401, { error: { code: 401, status: "UNAUTHENTICATED", message: "no" } });
    const missing = () => send(404, { error: { code: 404, status: "NOT_FOUND", message: "canary-4711 not found" } });
    const [, name = "", rest = ""] = /^\/v1\/projects\/demo\/secrets(?:\/([^/:]+))?(.*)$/.exec(url.pathname) ?? [];
    const versions = secrets.get(name);
    if (request.method === "POST" && name === "") {
      secrets.set(url.searchParams.get("secretId") ?? "", []);
      return send(200, { name: `projects/1/secrets/${url.searchParams.get("secretId")}` });
    }
    if (versions === undefined) return missing();
    if (rest === ":addVersion") {
      const count = versions.push(JSON.parse(body).payload.data);
      return send(200, { name: `projects/1/secrets/${name}/versions/${count}`, state: "ENABLED" });
    }
    const asked = /^\/versions\/(\w+):access$/.exec(rest)?.[1];
    const number = asked === "latest" ? versions.length : Number(asked);
    const data = versions[number - 1];
    return data === undefined ? missing() : send(200, { name: `projects/1/secrets/${name}/versions/${number}`, payload: { data } });
  });
  return { ...server, tokens };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request) text += piece;
  return text;
}
