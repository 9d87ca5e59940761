import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refusal } from "@sallyport/contracts";
import { openState, type State } from "@sallyport/state";
import { newHolder, ShiftedClock } from "../../authn.fixture.ts";
import { SealedCollection } from "../../sessions/sealed-collection.ts";
import { parseIdpMetadata } from "./idp-metadata.ts";
import { KnownIdp } from "./known-idp.ts";
import { LocalIdp, newPair, type Pair } from "./local-idp.fixture.ts";
import type { SamlProvider } from "./saml-provider.ts";
import { ruleOf } from "./saml-refusals.ts";
import { SamlSignIn } from "./saml-sign-in.ts";
import { SignInCodes } from "./sign-in-codes.ts";
import { SignInRequests } from "./sign-in-request.ts";

const secret = Buffer.alloc(32, 5);

/** A SAML service provider on a real SQLite state, at an identity provider in memory. */
export class SamlSite {
  readonly clock = new ShiftedClock();
  readonly holder = newHolder();
  readonly #folder = mkdtempSync(join(tmpdir(), "sallyport-saml-"));
  idp!: LocalIdp;
  /** Of the service. */
  pair!: Pair;
  state!: State;
  signIn!: SamlSignIn;
  codes!: SignInCodes;
  /** How often the metadata were read; fails while it says so. */
  read = 0;
  failing = false;

  static async open(): Promise<SamlSite> {
    const site = new SamlSite();
    site.idp = await LocalIdp.open(site.clock.now);
    site.pair = await newPair();
    site.state = await openState("sqlite", { dataDir: site.#folder, clock: site.clock });
    await site.state.startGeneration(1).then(({ generation }) => site.state.useGeneration(generation));
    site.configure();
    return site;
  }

  /** The same installation, with other settings. */
  configure(changes: Partial<SamlProvider> = {}): SamlSignIn {
    const { idp, state, clock } = this;
    const provider: SamlProvider = {
      name: "staff",
      entityId: idp.audience,
      acs: idp.acs,
      idp: idp.entityId,
      spInitiated: true,
      idpInitiated: false,
      subject: { nameIdFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" },
      groups: "groups",
      encryptedOnly: false,
      decryption: this.pair,
      skewSeconds: 60,
      ...changes,
    };
    this.codes = new SignInCodes(new SealedCollection(state, "saml-codes", secret), [provider]);
    const load = async () => {
      this.read++;
      if (this.failing) throw new Error("no metadata");
      return parseIdpMetadata(idp.metadata(), idp.entityId, clock.now());
    };
    const known = new KnownIdp(load, () => clock.monotonic());
    this.signIn = new SamlSignIn({ provider, idp: known, requests: new SignInRequests(secret), codes: this.codes, state, clock });
    return this.signIn;
  }

  /** The ID of a request that was begun here. */
  async request(thumbprint = this.holder.thumbprint): Promise<string> {
    const url = new URL(await this.signIn.begin({ thumbprint, state: Buffer.alloc(16, 1).toString("base64url"), port: 8123 }));
    const { inflateRawSync } = await import("node:zlib");
    const xml = inflateRawSync(Buffer.from(url.searchParams.get("SAMLRequest") ?? "", "base64")).toString();
    return / ID="([^"]+)"/.exec(xml)?.[1] ?? assert.fail(xml);
  }

  /** Fails unless the response is refused by this rule. */
  async refuses(rule: string, field: string | Promise<string>): Promise<void> {
    const error = await this.signIn.accept(await field).then(
      ({ verified }) => assert.fail(`expected ${rule}, but ${verified.principal} was signed in`),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof Refusal, String((error as Error).stack));
    assert.equal(ruleOf(error), rule, `${error.message} ${String(error.cause)}`);
  }

  async close(): Promise<void> {
    await this.state.close();
    rmSync(this.#folder, { recursive: true });
  }
}
