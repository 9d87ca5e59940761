import { z } from "zod";
import { address } from "./fields.ts";

/** Where each door listens. Loopback unless said, as nothing should be reachable by accident. */
const listen = z
  .strictObject({
    agents: address.prefault("127.0.0.1:7443").meta({ description: "gRPC for agents and people, TLS" }),
    agentsMtls: address.prefault("127.0.0.1:7444").meta({ description: "gRPC for agents with client certificates" }),
    peers: address.prefault("127.0.0.1:7445").meta({ description: "gRPC between services, mTLS" }),
    proxy: address
      .prefault("127.0.0.1:7481")
      .meta({ description: "The forward proxy and reverse path, TLS with client certificates; open where there is `proxy`" }),
    edge: address.prefault("127.0.0.1:7480").meta({ description: "HTTP" }),
    ops: address.prefault("127.0.0.1:7490").meta({ description: "/metrics, /healthz and /readyz" }),
  })
  .prefault({});

export const embeddedListen = listen.meta({ description: "The doors when all four services run in one process" });

const service = z
  .strictObject({
    listen,
    peers: z
      .strictObject({ authn: address, pdp: address, broker: address, audit: address })
      .partial()
      .prefault({})
      .meta({ description: "Where this service finds the others' peers door" }),
  })
  .prefault({});

/** Each service alone: its own doors, and where it finds the others. */
export const services = z.strictObject({ authn: service, pdp: service, broker: service, audit: service }).prefault({});

export type Listen = z.output<typeof listen>;
