import assert from "node:assert/strict";
import { createPrivateKey, type KeyObject } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type DescMethod, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { ChannelCredentials } from "@grpc/grpc-js";
import { Action, type Credential, DelegationService, JournalService, Refusal, TokenService } from "@sallyport/contracts";
import { ProofMaker } from "@sallyport/identity";
import {
  type CallOptions,
  formatAddress,
  GrpcChannel,
  type Host,
  initKeys,
  keysFolder,
  parseConfig,
  type RunningProcess,
  runProcess,
} from "@sallyport/service";
import { pino } from "pino";
import { start as startAuthn } from "../../../services/authn/src/main.ts";
import { LoopbackIssuer } from "../../../services/authn/src/trust/loopback-issuer.fixture.ts";
import { start as startPdp } from "../../../services/pdp/src/main.ts";

export const audience = "https://test.internal";
export const idToken = "urn:ietf:params:oauth:token-type:id_token";

const policies = `
@id("all") permit (principal, action, resource);
@id("no-forbidden-names") forbid (principal, action == Action::"delegate", resource) when { context has name && context.name == "forbidden" };
@id("unbound-for-ci") @allows("unbound-ticket") permit (principal in Group::"corp/ci", action == Action::"delegate", resource);
`;

/** What a ceiling entry of these attacks looks like. */
export const entry = (actions: Action[], secrets = ["prod/*"], targets = ["*"]) => ({ entries: [{ actions, secrets, targets }] });
export const mayDelegate = entry([Action.USE, Action.READ, Action.DELEGATE]);

export interface StageSettings {
  readonly edgePort?: number;
  /** Further settings of the provider `corp`, of `authn` and of `trust`, and further OIDC providers: YAML, each beginning with a comma but the last. */
  readonly provider?: string;
  readonly authn?: string;
  readonly trust?: string;
  readonly providers?: readonly string[];
}

/** authn and the PDP as they are started, behind their real doors, and an issuer; whoever attacks has the doors only. */
export class Stage {
  readonly dataDir = mkdtempSync(join(tmpdir(), "sallyport-attacks-"));
  issuer!: LoopbackIssuer;
  /** The key that signs credentials: for attacks that a thief of it could not make either. */
  authnKey!: KeyObject;
  #running!: RunningProcess;
  readonly #channels: GrpcChannel[] = [];

  /** @param settings of authn and of trust beside those that every attack has, for which an edge at this port is needed */
  static async open(settings: StageSettings = {}): Promise<Stage> {
    const stage = new Stage();
    const { dataDir } = stage;
    await initKeys({ dataDir, trustDomain: "test.internal" });
    const policyFolder = join(dataDir, "policies");
    mkdirSync(policyFolder);
    writeFileSync(join(policyFolder, "all.cedar"), policies);
    stage.issuer = await LoopbackIssuer.open();
    const doors = "{ agents: 127.0.0.1:0, agentsMtls: 127.0.0.1:0, peers: 127.0.0.1:0, edge: 127.0.0.1:EDGE, ops: 127.0.0.1:0 }".replace(
      "EDGE",
      String(settings.edgePort ?? 0),
    );
    const provider = `{ name: corp, issuer: "${stage.issuer.url}", audience: sallyport, algorithms: [ES256], groups: { claim: groups }, network: [127.0.0.0/8]${settings.provider ?? ""} }`;
    const limits = `authn: { maxDepth: 3, maxChildren: 10000, ticketsPerMinute: 100000${settings.authn ?? ""} }`;
    const config = parseConfig(
      `version: 1\ntrustDomain: test.internal\ndataDir: ${dataDir}\npolicies: ${policyFolder}\nlisten: ${doors}\n${limits}\ntrust: { oidc: [${[provider, ...(settings.providers ?? [])].join(", ")}]${settings.trust ?? ""} }\n`,
      "sallyport.yaml",
    );
    const starts = { authn: startAuthn, pdp: startPdp, broker: standIn, audit: standIn };
    stage.#running = await runProcess({
      config,
      roles: ["authn", "pdp", "broker", "audit"],
      version: "0.0.0-test",
      log: pino({ level: "silent" }),
      load: async (role) => ({ start: starts[role] }),
    });
    stage.authnKey = createPrivateKey({
      key: JSON.parse(readFileSync(join(keysFolder(dataDir), "credential.jwk"), "utf8")),
      format: "jwk",
    });
    for (const end = performance.now() + 10_000; stage.#running.health().authn?.ok !== true; ) {
      assert.ok(performance.now() < end, "authn did not come up");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return stage;
  }

  /** The gRPC door for agents and people. @param identity a client certificate for the other door */
  door(identity?: { key: Buffer; certificate: Buffer }): GrpcChannel {
    const credentials = ChannelCredentials.createSsl(
      readFileSync(join(keysFolder(this.dataDir), "services-ca.crt")),
      identity?.key ?? null,
      identity?.certificate ?? null,
    );
    const { addresses } = this.#running;
    const address = identity === undefined ? addresses.agents : addresses.agentsMtls;
    const channel = new GrpcChannel(formatAddress(address ?? { host: "none", port: 0 }), {
      credentials,
      options: { "grpc.ssl_target_name_override": "localhost" },
    });
    this.#channels.push(channel);
    return channel;
  }

  /** The HTTP edge. */
  get edge(): string {
    return `http://${formatAddress(this.#running.addresses.edge ?? { host: "none", port: 0 })}`;
  }

  async signIn(
    maker: ProofMaker,
    more: MessageInitShape<typeof TokenService.method.exchange.input> = {},
    claims = {},
  ): Promise<Credential> {
    const subjectToken = await this.issuer.token({ jti: crypto.randomUUID(), ...claims });
    const request = { subjectToken, subjectTokenType: idToken, ...more };
    const { credential } = await this.proven(TokenService.method.exchange, maker, request);
    assert.ok(credential);
    return credential;
  }

  /** A child of a session, its key and credential. */
  async delegate(parent: ProofMaker, token: string, agentName: string, ceiling = mayDelegate) {
    const child = ProofMaker.generate();
    const order = { childThumbprint: child.thumbprint, agentName, ceiling };
    const { ticket, sessionId } = await this.proven(DelegationService.method.issueTicket, parent, order, token);
    const { credential } = await this.proven(DelegationService.method.redeemTicket, child, { ticket });
    assert.ok(credential);
    return { maker: child, credential, ticket, sessionId };
  }

  /** A call with an honest proof; with the nonce of the first answer where there is none yet. */
  async proven<M extends DescMethod>(
    method: M,
    maker: ProofMaker,
    input: MessageInitShape<M["input"]>,
    credential?: string,
  ): Promise<MessageShape<M["output"]>> {
    await this.learnNonce(maker);
    const dpop = maker.prove({ htu: htuOf(method), request: bytesOf(method, input), credential });
    const authorization = credential === undefined ? {} : { authorization: `DPoP ${credential}` };
    return this.raw(method, input, { dpop, ...authorization });
  }

  /** A call with whatever headers. */
  async raw<M extends DescMethod>(method: M, input: MessageInitShape<M["input"]>, headers: Record<string, string>) {
    this.#agents ??= this.door();
    const client = this.#agents.client(method.parent) as unknown as Record<
      string,
      (input: unknown, options: CallOptions) => Promise<MessageShape<M["output"]>>
    >;
    return (client[method.localName] as NonNullable<(typeof client)[string]>)(input, { headers });
  }

  #agents: GrpcChannel | undefined;
  #nonce = "";

  /** Gives a nonce of this authn to a maker. */
  async learnNonce(maker: ProofMaker): Promise<string> {
    if (this.#nonce === "") {
      const refusal = await refusalOf(this.raw(TokenService.method.whoAmI, {}, { authorization: "DPoP x.y.z" }));
      assert.equal(refusal.reason, "UNAUTHENTICATED");
      const asked = await refusalOf(this.raw(TokenService.method.exchange, {}, {}));
      this.#nonce = asked.metadata["dpop-nonce"] ?? "";
    }
    maker.remember(this.#nonce);
    return this.#nonce;
  }

  async close(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await this.#running.stop();
    await this.issuer.close();
    rmSync(this.dataDir, { recursive: true });
  }
}

export const htuOf = (method: DescMethod) => `${audience}/${method.parent.typeName}/${method.name}`;

export const bytesOf = <M extends DescMethod>(method: M, input: MessageInitShape<M["input"]>) =>
  toBinary(method.input, create(method.input, input));

/** The refusal of a call; fails where it is answered. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  const error = await call.then(
    () => assert.fail("the attack succeeded"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Refusal, String(error));
  return error;
}

/** What a refusal is compared by: its reason, and which fault of several with that reason. */
export const reasonOf = ({ reason, metadata }: Refusal) => [reason, metadata.fault ?? metadata.revoked_by ?? ""].join(" ").trim();

async function standIn({ role, listeners }: Host) {
  if (role === "audit") {
    const ship = async function* (_requests: unknown, call: { signal: AbortSignal }) {
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
    };
    listeners.peers.serve(JournalService, { ship, prove: async () => ({}) }, { roles: ["authn", "pdp"] });
  }
  return { name: role, ready: () => ({ ok: true as const }), stop: async () => undefined };
}
