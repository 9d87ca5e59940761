import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { freePorts } from "../demo/free-port.ts";
import { Child } from "../support/process/child.ts";
import { until } from "../support/process/port.ts";
import type { Provision } from "../support/provision/cache.ts";
import { obtain } from "../support/provision/obtain.ts";
import { rawGrpc } from "./raw-grpc.ts";

const version = "0.55.0";
const run = promisify(execFile);

/** The binary as its makers publish it on npm, for Linux on x64. */
const binary: Provision = {
  name: `cerbos-${version}`,
  needs: ["npm", "tar"],
  async fill(folder) {
    await run("npm", ["pack", "--silent", "--pack-destination", folder, `@cerbos/cerbos-linux-x64@${version}`]);
    await run("tar", ["-xzf", `cerbos-cerbos-linux-x64-${version}.tgz`, "--strip-components=1"], { cwd: folder });
    chmodSync(join(folder, "cerbos-linux-x64"), 0o755);
  },
};

/** A Cerbos with resource policies of so many kinds, over TLS; `check` asks whether one action on one of them is allowed. */
export async function startCerbos(folder: string, policies: number, tls: { key: string; certificate: string; ca: Buffer }) {
  const program = join(await obtain(binary), "cerbos-linux-x64");
  const kept = join(folder, "cerbos-policies");
  mkdirSync(kept);
  for (let i = 0; i < policies; i++) writeFileSync(join(kept, `service-${i}.yaml`), policyFor(i));
  const [http, grpc] = await freePorts(2);
  const config = join(folder, "cerbos.yaml");
  writeFileSync(
    config,
    JSON.stringify({
      server: { httpListenAddr: `127.0.0.1:${http}`, grpcListenAddr: `127.0.0.1:${grpc}`, tls: { cert: tls.certificate, key: tls.key } },
      storage: { driver: "disk", disk: { directory: kept, watchForChanges: false } },
      telemetry: { disabled: true },
    }),
  );
  const server = await Child.start(program, ["server", `--config=${config}`, "--log-level=error"]);
  const client = rawGrpc(`127.0.0.1:${grpc}`, "/cerbos.svc.v1.CerbosService/CheckResources", { ca: tls.ca });
  const request = checkRequest(policies - 1);
  const check = async () => {
    const [answer] = await client.call(request);
    if (!allows(answer)) throw new Error("Cerbos did not allow what its policy allows");
  };
  await until(
    `Cerbos (${server.output})`,
    () =>
      check().then(
        () => true,
        () => false,
      ),
    20_000,
  );
  return {
    check,
    stop: async () => {
      client.close();
      await server.stop();
    },
  };
}

const policyFor = (i: number) =>
  JSON.stringify({
    apiVersion: "api.cerbos.dev/v1",
    resourcePolicy: {
      resource: `service-${i}`,
      version: "default",
      rules: [
        {
          actions: ["use"],
          effect: "EFFECT_ALLOW",
          roles: [`team-${i}`],
          condition: { match: { expr: 'request.resource.attr.method == "GET"' } },
        },
      ],
    },
  });

/** `cerbos.request.v1.CheckResourcesRequest`, the few fields of it that are needed. */
function checkRequest(i: number): Buffer {
  const message = (write: (writer: BinaryWriter) => void) => {
    const writer = new BinaryWriter();
    write(writer);
    return writer.finish();
  };
  const method = message((w) =>
    w
      .tag(1, 2)
      .string("method")
      .tag(2, 2)
      .bytes(message((value) => value.tag(3, 2).string("GET"))),
  );
  const principal = message((w) => w.tag(1, 2).string("ci/bot").tag(3, 2).string(`team-${i}`));
  const resource = message((w) => w.tag(1, 2).string(`service-${i}`).tag(3, 2).string("42").tag(4, 2).bytes(method));
  const entry = message((w) => w.tag(1, 2).string("use").tag(2, 2).bytes(resource));
  return Buffer.from(message((w) => w.tag(1, 2).string("bench").tag(3, 2).bytes(principal).tag(4, 2).bytes(entry)));
}

/** `CheckResourcesResponse.results[0].actions["use"] == EFFECT_ALLOW` */
function allows(answer: Uint8Array | undefined): boolean {
  const field = (bytes: Uint8Array | undefined, number: number): Uint8Array | undefined => {
    const reader = new BinaryReader(bytes ?? new Uint8Array());
    while (reader.pos < reader.len) {
      const [found, type] = reader.tag();
      if (found === number && type === 2) return reader.bytes();
      reader.skip(type);
    }
    return undefined;
  };
  const action = new BinaryReader(field(field(answer, 2), 2) ?? new Uint8Array());
  let effect = 0;
  while (action.pos < action.len) {
    const [number, type] = action.tag();
    if (number === 2) effect = action.uint32();
    else action.skip(type);
  }
  return effect === 1;
}
