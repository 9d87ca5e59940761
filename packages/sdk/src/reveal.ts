import { Refusal, revealAad, revealInfo } from "@sallyport/contracts";
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from "hpke";
import type { Session } from "./session.ts";

/** What was revealed: the values of one version, by field. Zero them once they were used. */
export interface Revealed {
  readonly version: string;
  readonly fields: ReadonlyMap<string, Uint8Array>;
}

/** Has a secret's values sealed to a key that is made for this call and kept nowhere (HPKE, RFC 9180), and opens them. */
export async function revealSecret(broker: Session["broker"], sessionId: string, secret: string): Promise<Revealed> {
  const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
  const pair = await suite.GenerateKeyPair(false);
  const { version, fields } = await broker.reveal({ secret, recipientKey: await suite.SerializePublicKey(pair.publicKey) });
  const opened = Object.entries(fields).map(async ([field, { encapsulatedKey, ciphertext }]) => {
    const aad = revealAad({ secret, version, field, sessionId });
    return [field, await suite.Open(pair, encapsulatedKey, ciphertext, { info: revealInfo, aad })] as const;
  });
  return Promise.all(opened).then(
    (entries) => ({ version, fields: new Map(entries) }),
    (cause) => {
      throw new Refusal("PROOF_INVALID", "What the broker sealed was not sealed for this agent, secret and version; do not use it.", {
        cause,
      });
    },
  );
}
