import { randomBytes } from "node:crypto";
import { Egress } from "@sallyport/egress";
import { type Host, type ProxySettings, proxyAuthorityKey, readAuthority, readKeyPair, upstreamProxyOf } from "@sallyport/service";
import type { Catalogue } from "../catalogue/catalogue.ts";
import type { CallerGate } from "../rpc/recording-gate.ts";
import { ownDoors } from "../targets/own-doors.ts";
import type { UseParts } from "../use/parts.ts";
import { Authority } from "./certificates/authority.ts";
import { Leaves } from "./certificates/leaves.ts";
import { Destinations } from "./destinations.ts";
import { ProxyDoor } from "./door.ts";
import { Exchanges } from "./exchange.ts";
import { Passing } from "./passing.ts";
import { Places } from "./places.ts";
import { Tunnels } from "./tunnels.ts";

interface Core {
  readonly gate: CallerGate;
  readonly catalogue: Catalogue;
  readonly parts: UseParts;
}

/** The door for tools that cannot make proofs. @throws StartError where a key is missing */
export async function proxyDoor(host: Host, proxy: ProxySettings, { gate, catalogue, parts: use }: Core): Promise<ProxyDoor> {
  const { config, clock, log } = host;
  const { dataDir, trustDomain, targets } = config;
  const destinations = new Destinations(targets, proxy.pass);
  const now = () => clock.now();
  const authority = await Authority.load(proxyAuthorityKey(dataDir), trustDomain, destinations.hosts, now);
  const egress = new Egress({
    allow: proxy.network,
    setting: "proxy.network",
    own: () => ownDoors(config),
    ...upstreamProxyOf(proxy.via, "proxy.via"),
  });
  const { evidence } = use;
  const places = new Places();
  const passing = new Passing({ gate, egress, evidence, via: `sallyport-${randomBytes(8).toString("hex")}` });
  const exchanges = new Exchanges({ gate, catalogue, destinations, places, use, tracer: host.telemetry.tracer, log });
  const tunnels = new Tunnels({ gate, clock, destinations, leaves: new Leaves(authority, now), exchanges, passing, places, evidence, log });
  return new ProxyDoor({
    gate,
    tls: readKeyPair(dataDir, "listener"),
    agentsCa: readAuthority(dataDir, "agents-ca.crt"),
    targetsCa: authority.pem,
    destinations,
    exchanges,
    tunnels,
    passing,
    places,
    evidence,
    log,
  });
}
