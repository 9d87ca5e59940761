import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Refusal } from "@sallyport/contracts";
import { Egress } from "@sallyport/egress";
import { resolveReference, type SamlProviderConfig } from "@sallyport/service";
import type { State } from "@sallyport/state";
import { SealedCollection } from "../../sessions/sealed-collection.ts";
import { secureUrl } from "../discovery.ts";
import { maxSkewSeconds } from "../trust-provider.ts";
import { parseIdpMetadata } from "./idp-metadata.ts";
import { KnownIdp, metadataTimes } from "./known-idp.ts";
import type { KeyAndCertificate, SamlProvider } from "./saml-provider.ts";
import { SamlSignIn } from "./saml-sign-in.ts";
import { SignInCodes } from "./sign-in-codes.ts";
import { SignInRequests } from "./sign-in-request.ts";

const maxMetadataBytes = 1024 * 1024;

/** The SAML identity providers of the configuration. @throws Refusal INVALID_REQUEST where a key cannot be had */
export function configuredSaml(
  configured: readonly SamlProviderConfig[],
  { state, secret, clock }: { state: State; secret: Uint8Array; clock: { now(): number; monotonic(): number } },
): { signIns: readonly SamlSignIn[]; codes: SignInCodes } {
  const providers = configured.map(providerOf);
  const codes = new SignInCodes(new SealedCollection(state, "saml-codes", secret), providers);
  const requests = new SignInRequests(secret);
  const signIns = configured.map((one, index) => {
    const provider = providers[index] as SamlProvider;
    const load = async () => parseIdpMetadata(await metadataText(one), provider.idp, clock.now());
    const idp = new KnownIdp(load, () => clock.monotonic(), { ...metadataTimes, freshMs: one.metadataSeconds * 1000 });
    return new SamlSignIn({ provider, idp, requests, codes, state, clock });
  });
  return { signIns, codes };
}

function providerOf({
  subject,
  groups,
  decryption,
  signing,
  metadata: _,
  network: __,
  metadataSeconds: ___,
  ...rest
}: SamlProviderConfig): SamlProvider {
  const where = `trust.saml.${rest.name}`;
  return {
    ...rest,
    subject: subject.attribute === undefined ? { nameIdFormat: subject.nameIdFormat as string } : { attribute: subject.attribute },
    groups: groups?.attribute,
    decryption: decryption && keyAndCertificate(decryption, `${where}.decryption`),
    signing: signing && keyAndCertificate(signing, `${where}.signing`),
    skewSeconds: maxSkewSeconds,
  };
}

function keyAndCertificate({ key, certificate }: { key: string; certificate: string }, where: string): KeyAndCertificate {
  try {
    return { key: resolveReference(key, `${where}.key`), certificate: readFileSync(certificate, "utf8") };
  } catch (cause) {
    throw new Refusal("INVALID_REQUEST", `${where}: its key or certificate cannot be read: ${(cause as Error).message}`, { cause });
  }
}

async function metadataText({ name, metadata, network }: SamlProviderConfig): Promise<string> {
  if (!/^https?:/.test(metadata)) return readFile(metadata, "utf8");
  const egress = new Egress({ allow: network, setting: `trust.saml.${name}.network` });
  const { status, body } = await egress.fetch(secureUrl(metadata), { maxBodyBytes: maxMetadataBytes, timeoutMs: 5_000 });
  if (status !== 200) throw new Error(`the identity provider answered ${status}`);
  return body.toString("utf8");
}
