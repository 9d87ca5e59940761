import { createServer, type ServerResponse } from "node:http";
import type { Address } from "../config/index.ts";
import type { Health } from "../host.ts";
import { listenAt } from "./listen-at.ts";

export interface OpsSettings {
  readonly address: Address;
  readonly setting: string;
  metricsText(): Promise<string>;
  /** Each part's health by name. */
  health(): Readonly<Record<string, Health>>;
}

export interface OpsServer {
  readonly address: Address;
  close(): Promise<void>;
}

/** For operators: `/metrics`, `/healthz` (the process lives) and `/readyz` (it can do its work). @throws StartError */
export async function openOps(settings: OpsSettings): Promise<OpsServer> {
  const server = createServer({ headersTimeout: 5000, requestTimeout: 5000 }, (request, response) => {
    answer(settings, request.method, request.url, response).catch(() => response.destroy());
  });
  return {
    address: await listenAt(server, settings.address, settings.setting),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(settings: OpsSettings, method: string | undefined, url: string | undefined, response: ServerResponse): Promise<void> {
  const path = (url ?? "/").split("?")[0];
  if (method !== "GET" && method !== "HEAD") return send(response, 405, "text/plain", "GET only\n");
  if (path === "/healthz") return send(response, 200, "application/json", '{"ok":true}\n');
  if (path === "/metrics") return send(response, 200, "text/plain; version=0.0.4; charset=utf-8", await settings.metricsText());
  if (path !== "/readyz") return send(response, 404, "text/plain", "there are /metrics, /healthz and /readyz\n");
  const parts = settings.health();
  const ok = Object.values(parts).every((part) => part.ok);
  send(response, ok ? 200 : 503, "application/json", `${JSON.stringify({ ok, parts })}\n`);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
}
